/** What was written, token by token, and what each token was written from. */
import { element } from '../element.js';
import type { AttentionMap } from '../engine/protocol.js';

/** A token on the page. */
interface Token {
  text: string;
  span: HTMLElement;
}

/** One row of tokens with its attention. */
interface Row {
  tokens: Token[];
  /** Of each step; each covers the queries that were new in it. */
  steps: AttentionMap[][];
}

/** Weights of the tokens before one, in one layer. */
export interface Looked {
  /** The token. */
  token: string;
  /** The tokens that it was written from, most important first. */
  at: { token: string; weight: number }[];
}

/** Shows rows of tokens; one token can be chosen, with the mouse or the arrow keys. */
export class Written {
  /** The element that holds the rows. */
  readonly root = element('div', { class: 'written', id: 'written', role: 'group' });
  /** The layer to look at; undefined for the last one. */
  layer: string | undefined;
  /** The head to look at; undefined for the mean of all. */
  head: number | undefined;

  private rows: Row[] = [];
  private pointer = { x: NaN, y: NaN };
  private chosen: { row: number; token: number } | null = null;

  /**
   * @param onChoose Called when another token is chosen, or is to be looked at in another way.
   */
  constructor(private readonly onChoose: () => void) {
    this.root.addEventListener('pointermove', (event) => this.point(event));
    this.root.addEventListener('focusin', (event) => this.chooseSpan(event.target));
    this.root.addEventListener('keydown', (event) => this.move(event));
  }

  /** Empties it. */
  clear(): void {
    this.rows = [];
    this.chosen = null;
    this.root.replaceChildren();
    this.onChoose();
  }

  /**
   * Begins a row.
   *
   * @param prompt Its first tokens.
   */
  addRow(prompt: readonly string[]): void {
    this.rows.push({ tokens: [], steps: [] });
    this.root.append(element('div', { class: 'written-row' }));
    for (const text of prompt) this.addToken(text, 'prompt');
  }

  /**
   * Adds a token to the last row.
   *
   * @param text Its text; empty for a part of a character.
   * @param attention What the model looked at in this step.
   */
  add(text: string, attention: AttentionMap[]): void {
    this.rows.at(-1)!.steps.push(attention);
    this.addToken(text, 'new');
  }

  /** Paths of the layers whose attention was kept, and the number of their heads. */
  get layers(): { layer: string; heads: number }[] {
    return this.rows[0]?.steps[0]?.map(({ layer, heads }) => ({ layer, heads })) ?? [];
  }

  /** What the chosen token was written from; null when none is chosen, or nothing was kept. */
  get looked(): Looked | null {
    if (!this.chosen) return null;
    const { tokens } = this.rows[this.chosen.row];
    const weights = this.weights(this.chosen.row, this.chosen.token);
    if (!weights) return null;
    const at = weights.map((weight, key) => ({ token: tokens[key].text, weight }));
    return { token: tokens[this.chosen.token].text, at: at.sort((a, b) => b.weight - a.weight) };
  }

  /** Whether a token is chosen. */
  get hasChoice(): boolean {
    return this.chosen !== null;
  }

  /** Colours the tokens anew, after `layer` or `head` was set. */
  look(): void {
    for (const { tokens } of this.rows) {
      for (const { span } of tokens) span.style.removeProperty('--weight');
    }
    if (this.chosen) {
      const { row, token } = this.chosen;
      this.weights(row, token)?.forEach((weight, key) => {
        this.rows[row].tokens[key].span.style.setProperty('--weight', weight.toFixed(4));
      });
    }
    this.onChoose();
  }

  /** Token t was written from the output at t − 1: its weights are those of query t − 1. */
  private weights(row: number, token: number): number[] | null {
    const query = token - 1;
    for (const maps of this.rows[row].steps) {
      const map = maps.find(({ layer }) => layer === this.layer) ?? maps.at(-1);
      if (!map || query < map.from || query >= map.from + map.queries) continue;
      const { heads, queries, keys, weights } = map;
      const ofHead = (n: number, key: number): number =>
        weights[(n * queries + query - map.from) * keys + key];
      return Array.from({ length: query + 1 }, (_, key) => {
        if (this.head !== undefined) return ofHead(Math.min(this.head, heads - 1), key);
        let sum = 0;
        for (let n = 0; n < heads; n++) sum += ofHead(n, key);
        return sum / heads;
      });
    }
    return null;
  }

  private addToken(text: string, className: string): void {
    const { tokens } = this.rows.at(-1)!;
    const span = element(
      'span',
      // One stop of the Tab key for all tokens; arrows move within.
      { class: `token ${className}`, tabindex: this.rows.length + tokens.length === 1 ? 0 : -1 },
      text === '' ? '·' : text,
    );
    tokens.push({ text, span });
    this.root.lastElementChild!.append(span);
  }

  /** A pointer that rests does not choose, though the tokens may move under it when something else is chosen. */
  private point({ target, clientX, clientY }: PointerEvent): void {
    if (this.pointer.x === clientX && this.pointer.y === clientY) return;
    this.pointer = { x: clientX, y: clientY };
    this.chooseSpan(target);
  }

  private chooseSpan(target: EventTarget | null): void {
    for (const [row, { tokens }] of this.rows.entries()) {
      const token = tokens.findIndex(({ span }) => span === target);
      if (token >= 0) this.choose(row, token);
    }
  }

  private choose(row: number, token: number): void {
    if (this.chosen?.row === row && this.chosen.token === token) return;
    if (this.chosen) this.spanOf(this.chosen).classList.remove('chosen');
    if (this.chosen) this.spanOf(this.chosen).tabIndex = -1;
    this.chosen = { row, token };
    this.spanOf(this.chosen).classList.add('chosen');
    this.spanOf(this.chosen).tabIndex = 0;
    this.look();
  }

  private move(event: KeyboardEvent): void {
    if (!this.chosen) return;
    const { row, token } = this.chosen;
    const to = {
      ArrowLeft: { row, token: token - 1 },
      ArrowRight: { row, token: token + 1 },
      ArrowUp: { row: row - 1, token },
      ArrowDown: { row: row + 1, token },
      Home: { row, token: 0 },
      End: { row, token: this.rows[row].tokens.length - 1 },
    }[event.key];
    if (!to || to.row < 0 || to.row >= this.rows.length) return;
    event.preventDefault();
    const last = this.rows[to.row].tokens.length - 1;
    this.spanOf({ row: to.row, token: Math.max(0, Math.min(last, to.token)) }).focus();
  }

  private spanOf({ row, token }: { row: number; token: number }): HTMLElement {
    return this.rows[row].tokens[token].span;
  }
}
