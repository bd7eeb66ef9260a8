import { assert, assertKnownOptions, describe } from '../util/errors.js';
import { HuggingFaceTokenizer, type HuggingFaceJSON, type PeerClass } from './hugging_face.js';
import { fromJSON, keepPeer } from './serialization.js';
import type { Tokenizer, TokenizerJSON } from './tokenizer.js';

const PACKAGE = '@huggingface/tokenizers';

/** Options of `load`. */
export interface LoadOptions {
  /** What `tokenizer_config.json` holds. Few tokenizers need it. Default none. */
  config?: object;
  /**
   * Loads `@huggingface/tokenizers`: `() => import('@huggingface/tokenizers')`, which a bundler can follow. Default: it is
   * imported by its name, which works in Node.
   */
  library?: () => Promise<unknown>;
}

/**
 * Makes a tokenizer from the `tokenizer.json` of a model of Hugging Face (byte-pair encoding, WordPiece, Unigram), by way
 * of the package `@huggingface/tokenizers`, or from what the `toJSON` of any tokenizer returned:
 *
 *     const tokenizer = await tokenizers.load(JSON.parse(await readFile('tokenizer.json', 'utf8')));
 *
 * As everywhere here, no start or end token is added, and special tokens spelled out in a text stay text unless
 * `allowSpecial` is set. `decode` gives the text of the tokens as it is, without removing spaces before punctuation.
 *
 * @param json The parsed JSON.
 * @param options See `LoadOptions`.
 * @returns The tokenizer.
 * @throws Error when it is no such JSON, or the package is not there.
 */
export async function load(json: unknown, options: LoadOptions = {}): Promise<Tokenizer> {
  const where = 'tokenizers.load';
  assertKnownOptions(where, options, ['config', 'library']);
  const given = json as Partial<TokenizerJSON & HuggingFaceJSON> | null;
  assert(
    typeof given === 'object' && given !== null && ('type' in given || isHuggingFace(given)),
    () =>
      `${where}: json must be what tokenizer.json holds, or what toJSON returned, got json=${describe(json)}.` +
      (typeof json === 'string' ? ' Parse it with JSON.parse first.' : ''),
  );
  if (!isHuggingFace(given)) {
    if (given.type === 'huggingface') keepPeer(await peer(where, options.library));
    return fromJSON(given);
  }
  const Peer = await peer(where, options.library);
  keepPeer(Peer);
  return new HuggingFaceTokenizer(Peer, given as HuggingFaceJSON, options.config ?? {});
}

function isHuggingFace(json: Partial<TokenizerJSON & HuggingFaceJSON>): boolean {
  return !('type' in json) && typeof json.model === 'object' && (json.model as unknown) !== null;
}

async function peer(where: string, library?: () => Promise<unknown>): Promise<PeerClass> {
  let module: { Tokenizer?: unknown; default?: { Tokenizer?: unknown } };
  try {
    module = (await (library ?? importPeer)()) as typeof module;
  } catch (error) {
    const reason = String((error as { message?: unknown } | null)?.message ?? error).split('\n')[0];
    throw new Error(
      `${where}: a tokenizer.json needs the package ${PACKAGE}, which cannot be loaded (${reason}). Install it with ` +
        `\`npm install ${PACKAGE}\`; in a bundle also give { library: () => import('${PACKAGE}') }.`,
      { cause: error },
    );
  }
  const found = module.Tokenizer ?? module.default?.Tokenizer;
  assert(
    typeof found === 'function',
    () => `${where}: library must load ${PACKAGE}, got a module without a class Tokenizer.`,
  );
  return found as PeerClass;
}

/** The name is not a literal, so that bundlers and the type checker don't ask for a package that may be absent. */
function importPeer(name = PACKAGE): Promise<unknown> {
  return import(/* @vite-ignore */ /* webpackIgnore: true */ name);
}
