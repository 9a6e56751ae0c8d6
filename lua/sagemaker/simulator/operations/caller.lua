--- STS: GetCallerIdentity, with which scripts look whether their credentials work.

local M = {}

function M.GetCallerIdentity(account)
  local store = account.store
  return {
    UserId = "AIDA" .. ("SIMULATOR%08d"):format(0), Account = store.account_id,
    Arn = ("arn:%s:iam::%s:user/test"):format(store.partition, store.account_id),
  }
end

return M
