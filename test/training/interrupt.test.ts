import { interruptSignal } from '../../src/training/interrupt.js';

test('the first Ctrl-C aborts the signal, and release stops listening', () => {
  const before = process.listenerCount('SIGINT');
  const interrupt = interruptSignal();
  expect(process.listenerCount('SIGINT')).toBe(before + 1);
  expect(interrupt.signal.aborted).toBe(false);
  process.emit('SIGINT');
  expect(interrupt.signal.aborted).toBe(true);
  expect(process.listenerCount('SIGINT')).toBe(before); // the second one ends the process
  interrupt.release();

  const unused = interruptSignal();
  unused.release();
  expect(process.listenerCount('SIGINT')).toBe(before);
});
