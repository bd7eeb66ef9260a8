import { BestValidation, checkEarlyStopping } from '../../src/training/early_stopping.js';

test('waits for a loss that is better by minDelta, and goes on from its state', () => {
  const options = { patience: 2, minDelta: 0.5 };
  const best = new BestValidation(options);
  expect([best.update(1, 3), best.update(2, 2.6), best.exhausted]).toEqual([true, false, false]);
  expect(best.update(3, 2.4)).toBe(true);
  expect(best.state).toEqual({ step: 3, loss: 2.4, since: 0 });
  expect([best.update(4, 2.4), best.exhausted]).toEqual([false, false]);
  const resumed = new BestValidation(options);
  resumed.state = best.state;
  expect([resumed.update(5, NaN), resumed.exhausted]).toEqual([false, true]);
  expect(resumed.state).toEqual({ step: 3, loss: 2.4, since: 2 });
});

test('without options the best is kept, and nothing stops', () => {
  const best = new BestValidation(undefined);
  expect(best.update(1, NaN)).toBe(false);
  expect(best.state).toBeUndefined();
  for (let step = 2; step < 9; step++) best.update(step, step);
  expect(best.state).toEqual({ step: 2, loss: 2, since: 6 });
  expect(best.exhausted).toBe(false);
});

test('bad options are refused', () => {
  expect(() => checkEarlyStopping({ patience: 0 })).toThrow('earlyStopping.patience');
  expect(() => checkEarlyStopping({ patience: 1, minDelta: -1 })).toThrow('earlyStopping.minDelta');
  expect(() => checkEarlyStopping({ patience: 1, delta: 1 } as never)).toThrow(
    "fit: earlyStopping: unknown option 'delta'",
  );
});
