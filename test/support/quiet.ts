/** Runs before each test file: drops the cpu backend's advice to install tfjs-node. */
const warn = console.warn.bind(console);
console.warn = (...args: unknown[]) => {
  if (!String(args[0]).includes('you are running TensorFlow.js in Node.js')) warn(...args);
};
