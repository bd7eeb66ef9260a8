/** The page's side of the worker: which backend it has, and a call for everything that it can do. */
import { isSoftware } from '../backend/software.js';
import type {
  BackendName,
  EngineEvent,
  EngineMethods,
  GenerateSettings,
  ModelInfo,
  TrainResult,
  TrainSettings,
  UnfinishedRun,
} from './protocol.js';
import { callWorker, type Remote } from './remote.js';

/** What is known about a backend on this device. */
export interface Candidate {
  /** Its name. */
  name: BackendName;
  /** Milliseconds of a training step of the small model, once measured. */
  milliseconds?: number;
  /** Why it cannot be used, or could not be measured. */
  problem?: string;
  /** Whether it would run on the processor, imitating a graphics card. */
  isSoftware?: boolean;
}

/** News for the views: those of the worker, and those of the engine itself. */
export type News =
  | EngineEvent
  /** Something about the backends has changed. */
  | { type: 'backend' }
  /** A worker is ready: it has loaded what the browser keeps. `goOn`: training was going on and is to go on. */
  | { type: 'ready'; unfinished: UnfinishedRun | null; goOn: boolean };

/** Offered to people; `cpu` is only for when nothing else starts. */
export const OFFERED: readonly BackendName[] = ['webgpu', 'webgl', 'wasm'];
/** In this order a backend is looked for before anything was measured: what starts fastest comes first. */
const FALL_BACK: readonly BackendName[] = ['wasm', 'webgl', 'webgpu', 'cpu'];
/** Milliseconds for one start. backends.use tries wasm twice, with threads and without. */
const START_TIMEOUT = 6000;
/** Milliseconds for start and measurement of a backend that the page does not wait for. */
const MEASURE_TIMEOUT = 12_000;
/** A measured backend takes over when its step takes less than this part of the time. */
const CLEARLY_FASTER = 0.8;
const KEY = 'tfjs-transformers:backends';

/** What is remembered from visit to visit. */
interface Remembered {
  current?: BackendName;
  candidates?: Candidate[];
}

/** A worker with a running backend. */
interface Running {
  name: BackendName;
  /** What backends.use says about the start. */
  message: string;
  methods: Remote<EngineMethods>;
  close: (reason: string) => void;
}

/** Starts workers, one a backend, and hands calls to the one in use. */
export class Engine {
  /** What is known about each backend. */
  readonly candidates: Candidate[] = OFFERED.map((name) => ({ name }));
  /** The model that is loaded. */
  model: ModelInfo | null = null;
  /** Why the backend is another one than wished for; empty when it is not. */
  notice = '';
  /** What is going on with the backends; nothing else may be begun with them meanwhile. */
  activity: 'starting' | 'measuring' | null = 'starting';

  private running: Running | null = null;
  private started: Promise<unknown> | undefined;
  /** What goes on in the worker. */
  private readonly busy = new Map<'training' | 'writing', Promise<unknown>>();
  private readonly listeners: ((news: News) => void)[] = [];

  /** The backend in use. */
  get backend(): BackendName | undefined {
    return this.running?.name;
  }

  /** What backends.use said when it started. */
  get message(): string {
    return this.running?.message ?? '';
  }

  /** Calls of the worker; they wait until there is one that has loaded what the browser keeps. */
  readonly ask: Remote<EngineMethods> = new Proxy({} as Remote<EngineMethods>, {
    get:
      (_, method: keyof EngineMethods) =>
      async (...values: never[]) => {
        await this.started;
        if (!this.running) throw new Error('Nothing can be computed: no backend has started.');
        return (this.running.methods[method] as (...values: never[]) => unknown)(...values);
      },
  });

  /**
   * Listens to news.
   *
   * @param type Their type.
   * @param listener Gets them.
   */
  on<T extends News['type']>(type: T, listener: (news: Extract<News, { type: T }>) => void): void {
    this.listeners.push((news) => {
      if (news.type === type) listener(news as Extract<News, { type: T }>);
    });
  }

  /**
   * Trains; see `EngineMethods.train`.
   *
   * @param settings What; null goes on with the unfinished run.
   */
  train(settings: TrainSettings | null): Promise<TrainResult> {
    return this.busyWith('training', this.ask.train(settings));
  }

  /**
   * Writes; see `EngineMethods.generate`.
   *
   * @param settings How.
   */
  generate(settings: GenerateSettings): Promise<boolean> {
    return this.busyWith('writing', this.ask.generate(settings));
  }

  /**
   * Starts the backend of the last visit, or wasm, which starts fastest; where that fails, the next one. On the first
   * visit the others are then measured in the background, and a clearly faster one takes over.
   *
   * @param wish A backend to start with instead, for example from the page's address.
   */
  async begin(wish: BackendName | undefined): Promise<void> {
    const { current, candidates } = remembered();
    for (const candidate of candidates ?? []) this.note(candidate);
    this.started = this.startFirst(wish, current);
    await this.started;
    if (this.running) {
      this.setActivity('measuring');
      if (this.timeOf(this.backend) === undefined) await this.measure(this.running);
      if (wish === undefined && candidates === undefined) await this.measureOthers();
    }
    this.setActivity(null);
  }

  /** Measures all backends again, and takes the fastest. */
  async measureAll(): Promise<void> {
    this.setActivity('measuring');
    if (this.running) await this.measure(this.running);
    await this.measureOthers();
    this.setActivity(null);
  }

  /**
   * Changes the backend: another worker takes over, with the model and the run that the browser keeps. Where it does
   * not start, everything stays as it is.
   *
   * @param name The backend.
   */
  async use(name: BackendName): Promise<void> {
    this.notice = '';
    this.setActivity('starting');
    try {
      const next = await this.start(name, (news) => this.hear(news));
      const training = this.busy.get('training');
      if (training) {
        await this.ask.stop();
        await training.catch(() => undefined);
      }
      this.running?.close('The backend was changed.');
      this.running = next;
      remember({ ...remembered(), current: name });
      this.started = this.restore(next, training !== undefined);
      await this.started;
      if (this.timeOf(name) === undefined) await this.measure(next);
    } catch (error) {
      this.note({ name, problem: (error as Error).message });
      this.notice = `${name}: ${(error as Error).message}`;
    }
    this.setActivity(null);
  }

  /** Starts the first of these backends that can be started, else one of the others. */
  private async startFirst(...wishes: (BackendName | undefined)[]): Promise<void> {
    const order = [...new Set([...wishes, ...FALL_BACK])].filter((name) => name !== undefined);
    for (const name of order) {
      try {
        this.running = await this.start(name, (news) => this.hear(news));
        break;
      } catch (error) {
        this.note({ name, problem: (error as Error).message });
        this.notice += `${name}: ${(error as Error).message} `;
      }
    }
    if (this.running) await this.restore(this.running, false);
  }

  /** Lets a worker load what the browser keeps. */
  private async restore({ methods }: Running, goOn: boolean): Promise<void> {
    this.tell({ type: 'ready', unfinished: await methods.restore(), goOn });
  }

  /** Measures, unless somebody has begun to work. */
  private async measure({ name, methods }: Running): Promise<void> {
    if (this.busy.size > 0) return;
    try {
      this.note({ name, milliseconds: await methods.measure() });
    } catch (error) {
      this.note({ name, problem: (error as Error).message });
    }
  }

  private async measureOthers(): Promise<void> {
    for (const { name } of this.candidates) {
      if (name === this.backend) continue;
      if (await isSoftware(name)) {
        this.note({ name, isSoftware: true });
        continue;
      }
      let trial: Running | undefined;
      try {
        await within(MEASURE_TIMEOUT, async () => {
          trial = await this.start(name, () => undefined);
          this.note({ name, milliseconds: await trial.methods.measure() });
        });
      } catch (error) {
        this.note({ name, problem: (error as Error).message });
      }
      trial?.close('It was measured.');
    }
    remember({ ...remembered(), candidates: this.candidates });
    const now = this.timeOf(this.backend) ?? Infinity;
    const [best] = [...this.candidates].sort(
      (a, b) => (a.milliseconds ?? Infinity) - (b.milliseconds ?? Infinity),
    );
    const isFaster = (best.milliseconds ?? Infinity) < CLEARLY_FASTER * now;
    if (isFaster && this.busy.size === 0) await this.use(best.name);
  }

  /** Starts a worker and in it a backend. */
  private async start(name: BackendName, listen: (event: EngineEvent) => void): Promise<Running> {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    const { methods, close } = callWorker<EngineMethods>(worker, listen);
    try {
      // The worker keeps its time itself; the second limit is for one that no longer answers.
      const message = await within(3 * START_TIMEOUT, () => methods.start(name, START_TIMEOUT));
      return { name, message, methods, close };
    } catch (error) {
      close('It did not start.');
      throw error;
    }
  }

  private async busyWith<T>(what: 'training' | 'writing', task: Promise<T>): Promise<T> {
    this.busy.set(what, task);
    try {
      return await task;
    } finally {
      if (this.busy.get(what) === task) this.busy.delete(what);
    }
  }

  private timeOf(name: BackendName | undefined): number | undefined {
    return this.candidates.find((candidate) => candidate.name === name)?.milliseconds;
  }

  private note(found: Candidate): void {
    const known = this.candidates.find(({ name }) => name === found.name);
    if (known) Object.assign(known, { problem: undefined, ...found });
    else this.candidates.push(found); // cpu
    this.tell({ type: 'backend' });
  }

  private setActivity(activity: Engine['activity']): void {
    this.activity = activity;
    this.tell({ type: 'backend' });
  }

  private hear(event: EngineEvent): void {
    if (event.type === 'model') this.model = event.model;
    this.tell(event);
  }

  private tell(news: News): void {
    for (const listener of this.listeners) listener(news);
  }
}

/** Rejects when something takes longer than it may. */
async function within<T>(milliseconds: number, task: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`it took longer than ${milliseconds / 1000} s.`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([task(), limit]);
  } finally {
    clearTimeout(timer);
  }
}

function remembered(): Remembered {
  return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Remembered;
}

function remember(value: Remembered): void {
  localStorage.setItem(KEY, JSON.stringify(value));
}
