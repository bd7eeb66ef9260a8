/** Runs in each test file before its tests: the same numbers each time, alone or after others. */
import * as fc from 'fast-check';
import { repeatRandom, testSeed } from './repeatable_random.js';

fc.configureGlobal({ seed: testSeed });
repeatRandom(); // for what a file draws while it is read, and before all of its tests
beforeEach(repeatRandom);
