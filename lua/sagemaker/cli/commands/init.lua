--- The commands besides the operations of the API: which names there are. Each is a module of this
-- folder, loaded when it is called.

return {
  -- name = true
}
