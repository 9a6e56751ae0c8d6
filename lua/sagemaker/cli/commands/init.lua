--- The commands besides the operations of the API: which there are, and what each does. Each is a
--- module of this folder, loaded when it is called.

return {
  check = "Check parameters strictly, against the model and the rules of deployments.",
  completion = "Print a script that completes command lines in bash, zsh or fish.",
  deploy = "Create or update an endpoint under guard, and tell whether it was rolled back.",
  doctor = "Tell which configuration and credentials are found, why, and what is wrong.",
  plan = "Show what a deployment would do, step by step, before anything is sent.",
  simulate = "Run a local SageMaker that any AWS client can talk to.",
  watch = "Follow a deployment, and tell whether it was rolled back.",
}
