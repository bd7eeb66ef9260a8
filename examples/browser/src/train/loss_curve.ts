/** The loss as it falls. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { LossEntry } from '../engine/protocol.js';
import { onLanguage } from '../language.js';
import { words } from './words.js';

const HEIGHT = 240;

/** A chart of the training loss and of the loss on what is not learned from. */
export class LossCurve {
  private steps: number[] = [];
  private losses: (number | null)[] = [];
  private validations: (number | null)[] = [];
  private plot: uPlot | undefined;

  /**
   * @param root Gets the chart, as wide as it is.
   */
  constructor(private readonly root: HTMLElement) {
    new ResizeObserver(() => this.fit()).observe(root);
    // uPlot takes labels and colours when it is made.
    const build = (): void => this.build();
    onLanguage(build);
    addEventListener('themechange', build);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', build);
  }

  /**
   * Shows other readings.
   *
   * @param log All of them; none empties the chart.
   */
  show(log: readonly LossEntry[]): void {
    this.steps = [];
    this.losses = [];
    this.validations = [];
    for (const entry of log) this.put(entry);
    this.draw();
  }

  /**
   * Shows one more reading.
   *
   * @param entry The reading.
   */
  add(entry: LossEntry): void {
    this.put(entry);
    this.draw();
  }

  private put({ step, loss, validation }: LossEntry): void {
    if (this.steps.at(-1) !== step) {
      this.steps.push(step);
      this.losses.push(null);
      this.validations.push(null);
    }
    if (loss !== undefined) this.losses[this.losses.length - 1] = loss;
    if (validation !== undefined) this.validations[this.validations.length - 1] = validation;
  }

  private draw(): void {
    this.plot?.setData([this.steps, this.losses, this.validations]);
  }

  private fit(): void {
    if (this.root.clientWidth > 0)
      this.plot?.setSize({ width: this.root.clientWidth, height: HEIGHT });
  }

  private build(): void {
    this.plot?.destroy();
    const axis: uPlot.Axis = {
      stroke: () => colour('--faint'),
      grid: { stroke: () => colour('--line'), width: 1 },
      ticks: { stroke: () => colour('--line'), width: 1 },
    };
    this.plot = new uPlot(
      {
        width: Math.max(100, this.root.clientWidth),
        height: HEIGHT,
        legend: { live: false },
        scales: { x: { time: false } },
        axes: [
          { ...axis, label: words().step },
          { ...axis, label: words().loss, size: 56 },
        ],
        series: [
          { label: words().step },
          {
            label: words().trainingLoss,
            stroke: () => colour('--accent'),
            width: 2,
            spanGaps: true,
          },
          {
            label: words().validationLoss,
            stroke: () => colour('--warning'),
            ...{ width: 2, spanGaps: true, dash: [6, 4], points: { show: true } },
          },
        ],
      },
      [this.steps, this.losses, this.validations],
      this.root,
    );
  }
}

function colour(name: string): string {
  // The value of the property itself is `light-dark(…)`; a canvas needs the side that is taken.
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
