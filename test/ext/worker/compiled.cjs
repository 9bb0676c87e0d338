'use strict';
// What a compiler makes of TypeScript with a default export: the function is the default of the default.
Object.defineProperty(exports, '__esModule', { value: true });
exports.helper = 1;
exports.default = ({ workerData }) => `compiled ${workerData}`;
