'use strict';
// The output of a compiler for TypeScript with a default export: for `import()`, the function is
// the default of the default export.
Object.defineProperty(exports, '__esModule', { value: true });
exports.helper = 1;
exports.default = ({ workerData }) => `compiled ${workerData}`;
