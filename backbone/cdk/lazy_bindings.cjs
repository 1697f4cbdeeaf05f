// Loaded into Node before jsii by backbone/cdk.py, which says why: makes the index of the AWS bindings
// load each of its 2,200 modules when it is first used, instead of all of them at once.
"use strict";

const Module = require("node:module");

const INDEX = /[\\/]@cdktf[\\/]provider-aws[\\/]lib[\\/]index\.js$/;
const EXPORT = /^exports\.(\w+) = require\((["'][^"']+["'])\);$/gm;
// cdktf uses functions that Node deprecates; its users cannot act on that.
process.noDeprecation = true;

const compile = Module.prototype._compile;

Module.prototype._compile = function (content, filename, ...rest) {
  if (INDEX.test(filename)) {
    Module.prototype._compile = compile;
    content = content.replace(
      EXPORT,
      'Object.defineProperty(exports, "$1", { enumerable: true, configurable: true, get: () => require($2) });',
    );
  }
  return compile.call(this, content, filename, ...rest);
};
