/** Loads tfjs-node; a file of its own so that nothing tries where it is not built. */

// tfjs-node 4.22 calls a function that Node 23 removed (tensorflow/tfjs#8609). `require` gives the module itself, where
// a compiled `import * as` would give a copy.
const util = require('node:util');
util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;

const name: string = '@tensorflow/tfjs-node';
require(name);

export {};
