/** Writing token by token, and what the model looked at meanwhile. */
import { generation } from 'tfjs-transformers';
import { PAD, START, type LanguageModel } from './language_model.js';
import type { AttentionMap, EngineEvent, GenerateSettings } from './protocol.js';

/**
 * Continues a prompt, as many times as asked.
 *
 * @param language The model.
 * @param settings How.
 * @param signal Ends it within a token.
 * @param tell Gets each row's prompt and then its tokens.
 * @returns Whether it came to its end.
 */
export async function write(
  language: LanguageModel,
  settings: GenerateSettings,
  signal: AbortSignal,
  tell: (event: EngineEvent) => void,
): Promise<boolean> {
  const { model, tokenizer, lines, endIds } = language;
  const { prompt, count, temperature, topK, topP, maxNewTokens, seed } = settings;
  const ids = [...(lines ? [tokenizer.idOf(START)] : []), ...tokenizer.encode(prompt)];
  if (ids.length === 0) throw new Error('The beginning must have at least one character.');

  for (let row = 0; row < count && !signal.aborted; row++) {
    tell({ type: 'row', row, prompt: shown(language, ids) });
    let attention: AttentionMap[] = [];
    const steps = generation.stream(model, ids, {
      ...{ tokenizer, maxNewTokens, signal },
      ...(temperature > 0 && {
        ...{ doSample: true, temperature, topP, seed: seed + row },
        ...(topK > 0 && { topK }),
      }),
      ...(endIds.length > 0 && { eosTokenId: endIds }),
      ...(lines && { suppressTokens: [tokenizer.idOf(PAD), tokenizer.idOf(START)] }),
      ...(settings.attention && {
        outputAttentions: true,
        // The maps are disposed of after this call: their numbers go to the page.
        onStep: async ({ attentions }) => {
          attention = await Promise.all([...attentions!].map(([layer, map]) => read(layer, map)));
        },
      }),
    });
    for await (const { ids: newIds, text } of steps) {
      const isEnd = endIds.includes(newIds[0]);
      tell({ type: 'token', row, text: isEnd ? tokenizer.tokenOf(newIds[0]) : text!, attention });
    }
  }
  return !signal.aborted;
}

type Map4D =
  NonNullable<generation.StepScores['attentions']> extends ReadonlyMap<string, infer T> ? T : never;

async function read(layer: string, map: Map4D): Promise<AttentionMap> {
  const [, heads, queries, keys] = map.shape;
  const weights = (await map.data()) as Float32Array;
  return { layer, heads, queries, keys, from: keys - queries, weights };
}

/** The text of each token of a prompt; special tokens by their names. */
function shown({ tokenizer }: LanguageModel, ids: readonly number[]): string[] {
  const decoder = tokenizer.createDecoder();
  return ids.map((id) => {
    const token = tokenizer.tokenOf(id);
    return tokenizer.special.includes(token) ? token : decoder.push(id);
  });
}
