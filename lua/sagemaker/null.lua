--- The explicit JSON null: `lightuserdata(NULL)`, the same value as `cjson.null` and `ngx.null`.
return require("sagemaker.core").null
