import * as schedules from '../../src/training/schedules.js';
import { loadFixtures } from '../support/fixtures.js';

test.each(loadFixtures('training'))('warmupCosine gives the learning rates of $name', (fixture) => {
  const { lr, warmup, steps, min_lr_ratio } = fixture.parameters.optimizer;
  const schedule = schedules.warmupCosine({
    learningRate: lr,
    warmupSteps: warmup,
    totalSteps: steps,
    minRatio: min_lr_ratio,
  });
  const expected = fixture.array('learning_rate').values;
  for (let s = 0; s < steps; s++) expect(Math.abs(schedule(s) - expected[s])).toBeLessThan(1e-8);
});

test('the last step has the minimum, and so have steps past it', () => {
  const schedule = schedules.warmupCosine({
    learningRate: 2,
    warmupSteps: 3,
    totalSteps: 11,
    minRatio: 0.25,
  });
  expect([0, 1, 2, 3].map(schedule)).toEqual([2 / 3, 4 / 3, 2, 2]);
  expect(schedule(10)).toBeCloseTo(0.5, 12);
  expect(schedule(1000)).toBeCloseTo(0.5, 12);
  expect(schedules.warmupCosine({ learningRate: 2, warmupSteps: 3, totalSteps: 4 })(3)).toBeCloseTo(
    0.2,
    12,
  );
});

test('linear falls by equal parts, constant stays', () => {
  const linear = schedules.linear({ learningRate: 1, totalSteps: 5 });
  expect([0, 1, 2, 3, 4].map(linear)).toEqual([1, 0.75, 0.5, 0.25, 0]);
  const constant = schedules.constant({ learningRate: 3, warmupSteps: 2 });
  expect([0, 1, 2, 99].map(constant)).toEqual([1.5, 3, 3, 3]);
  expect(schedules.constant({ learningRate: 3 })(0)).toBe(3);
});

test('every schedule comes back from its config', () => {
  for (const schedule of [
    schedules.warmupCosine({ learningRate: 0.1, warmupSteps: 2, totalSteps: 9, minRatio: 0.2 }),
    schedules.linear({ learningRate: 0.1, totalSteps: 9 }),
    schedules.constant({ learningRate: 0.1 }),
  ]) {
    const again = schedules.fromConfig(JSON.parse(JSON.stringify(schedule.config)));
    for (let s = 0; s < 12; s++) expect(again(s)).toBe(schedule(s));
  }
});

test('bad options are refused by name', () => {
  const make = (options: object) => () => schedules.warmupCosine(options as never);
  expect(make({ learningRate: 1 })).toThrow(
    'schedules.warmupCosine: totalSteps must be an integer',
  );
  expect(make({ learningRate: 1, totalSteps: 5, warmupSteps: 6 })).toThrow(
    'warmupSteps must be an integer between 0 and 5',
  );
  expect(make({ learningRate: 1, totalSteps: 5, minRatio: 2 })).toThrow(
    'minRatio must be a finite number between 0 and 1',
  );
  expect(make({ learningRate: 1, totalSteps: 5, warmup: 1 })).toThrow("unknown option 'warmup'");
  expect(() => schedules.fromConfig({ name: 'magic' })).toThrow(
    "name must be one of warmupCosine, linear, constant, got name='magic'",
  );
});
