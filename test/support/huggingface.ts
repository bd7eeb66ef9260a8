/** The checkpoints of fixtures/huggingface as our models, by a small reader of the tests' own. */
import * as tf from '@tensorflow/tfjs';
import { bert, type BertOptions } from '../../src/models/bert.js';
import { causalLM } from '../../src/models/causal_lm.js';
import { readFixtureFile } from './fixture_files.js';
import { readSafetensors } from './fixtures.js';

interface Config extends Record<string, any> {
  model_type: 'gpt2' | 'llama';
}

/**
 * A causal model with the weights of a checkpoint.
 *
 * @param name Folder under fixtures/huggingface: `gpt2` or one of the `llama_…`.
 */
export function causalCheckpoint(name: string): tf.LayersModel {
  const config = json(`${name}/config.json`) as Config;
  const tensors = checkpointTensors(name);
  const isGpt2 = config.model_type === 'gpt2';
  const model = (isGpt2 ? gpt2 : llama)(config);
  tf.tidy(() => {
    const values = model.weights.map(({ originalName, shape }) =>
      (isGpt2 ? gpt2Weight : llamaWeight)(originalName, shape as number[], tensors),
    );
    model.setWeights(values);
  });
  return model;
}

/**
 * All tensors of a checkpoint, of all its files.
 *
 * @param name Folder under fixtures/huggingface.
 */
export function checkpointTensors(name: string): Map<string, ArrayLike<number>> {
  let files = ['model.safetensors'];
  if (name === 'llama_sharded_bf16') {
    const index = json(`${name}/model.safetensors.index.json`) as {
      weight_map: Record<string, string>;
    };
    files = [...new Set(Object.values(index.weight_map))];
  }
  return new Map(
    files.flatMap((file) => [...readSafetensors(readFixtureFile(`huggingface/${name}/${file}`))]),
  );
}

function json(path: string): unknown {
  return JSON.parse(new TextDecoder().decode(readFixtureFile(`huggingface/${path}`)));
}

function gpt2(config: Config): tf.LayersModel {
  return causalLM({
    vocabularySize: config.vocab_size,
    maxSequenceLength: config.n_positions,
    hiddenDim: config.n_embd,
    numLayers: config.n_layer,
    numHeads: config.n_head,
    normEpsilon: config.layer_norm_epsilon,
  }) as unknown as tf.LayersModel;
}

function llama(config: Config): tf.LayersModel {
  const { rope_theta, rope_type, ...rope } = config.rope_parameters;
  const scaling = {
    type: rope_type,
    factor: rope.factor,
    originalMaxPositionEmbeddings: rope.original_max_position_embeddings,
    lowFreqFactor: rope.low_freq_factor,
    highFreqFactor: rope.high_freq_factor,
  };
  return causalLM({
    vocabularySize: config.vocab_size,
    maxSequenceLength: config.max_position_embeddings,
    hiddenDim: config.hidden_size,
    numLayers: config.num_hidden_layers,
    numHeads: config.num_attention_heads,
    numKeyValueHeads: config.num_key_value_heads,
    headDim: config.head_dim,
    intermediateDim: config.intermediate_size,
    position: 'rotary',
    rotary: {
      maxWavelength: rope_theta,
      ...(rope_type === 'default' ? {} : { scaling }),
    },
    normalization: 'rms',
    normEpsilon: config.rms_norm_eps,
    activation: 'silu',
    gated: true,
    attentionBias: config.attention_bias,
    mlpBias: config.mlp_bias,
    tieEmbeddings: config.tie_word_embeddings,
  }) as unknown as tf.LayersModel;
}

const GPT2: Record<string, string> = {
  token_embedding: 'wte',
  position_embedding: 'wpe',
  final_norm: 'ln_f',
  self_attention_layer_norm: 'ln_1',
  feedforward_layer_norm: 'ln_2',
  feedforward_intermediate_dense: 'mlp.c_fc',
  feedforward_output_dense: 'mlp.c_proj',
};

/** Its matrices are [in, out] as ours are; query, key and value are columns of one. */
function gpt2Weight(
  name: string,
  shape: number[],
  tensors: Map<string, ArrayLike<number>>,
): tf.Tensor {
  const [, block, part, kind] = /^(?:block_(\d+)\/)?(.*)\/(\w+)$/.exec(name)!;
  const prefix = block === undefined ? 'transformer.' : `transformer.h.${block}.`;
  const suffix = kind === 'bias' || kind === 'beta' ? 'bias' : 'weight';
  const third = ['query', 'key', 'value'].indexOf(part.split('/')[1]);
  if (third >= 0) {
    const all = tensors.get(`${prefix}attn.c_attn.${suffix}`)!;
    const width = shape.slice(suffix === 'bias' ? 0 : 1).reduce((a, b) => a * b);
    const table = tf.tensor(Float32Array.from(all), [all.length / (3 * width), 3, width]);
    return tf.reshape(tf.slice(table, [0, third, 0], [-1, 1, -1]), shape);
  }
  const theirs = part === 'self_attention/attention_output' ? 'attn.c_proj' : GPT2[part];
  return tf.tensor(Float32Array.from(tensors.get(`${prefix}${theirs}.${suffix}`)!), shape);
}

const LLAMA: Record<string, string> = {
  token_embedding: 'model.embed_tokens',
  final_norm: 'model.norm',
  lm_head: 'lm_head',
  'self_attention/query': 'self_attn.q_proj',
  'self_attention/key': 'self_attn.k_proj',
  'self_attention/value': 'self_attn.v_proj',
  'self_attention/attention_output': 'self_attn.o_proj',
  self_attention_layer_norm: 'input_layernorm',
  feedforward_layer_norm: 'post_attention_layernorm',
  feedforward_gate_dense: 'mlp.gate_proj',
  feedforward_intermediate_dense: 'mlp.up_proj',
  feedforward_output_dense: 'mlp.down_proj',
};

/** Its matrices are [out, in]. */
function llamaWeight(
  name: string,
  shape: number[],
  tensors: Map<string, ArrayLike<number>>,
): tf.Tensor {
  const [, block, part, kind] = /^(?:block_(\d+)\/)?(.*)\/(\w+)$/.exec(name)!;
  const prefix = block === undefined ? '' : `model.layers.${block}.`;
  const suffix = kind === 'bias' ? 'bias' : 'weight';
  const values = Float32Array.from(tensors.get(`${prefix}${LLAMA[part]}.${suffix}`)!);
  return kind === 'kernel' ? matrix(values, part, shape) : tf.tensor(values, shape);
}

/**
 * The configuration of a checkpoint.
 *
 * @param name Folder under fixtures/huggingface.
 * @param file `config.json`, or another version of it.
 */
export function checkpointConfig(name: string, file = 'config.json'): Record<string, any> {
  return json(`${name}/${file}`) as Record<string, any>;
}

const BERT: Record<string, string> = {
  token_embedding: 'embeddings.word_embeddings',
  token_type_embedding: 'embeddings.token_type_embeddings',
  position_embedding: 'embeddings.position_embeddings',
  embedding_norm: 'embeddings.LayerNorm',
  'self_attention/query': 'attention.self.query',
  'self_attention/key': 'attention.self.key',
  'self_attention/value': 'attention.self.value',
  'self_attention/attention_output': 'attention.output.dense',
  self_attention_layer_norm: 'attention.output.LayerNorm',
  feedforward_intermediate_dense: 'intermediate.dense',
  feedforward_output_dense: 'output.dense',
  feedforward_layer_norm: 'output.LayerNorm',
  pooler: 'pooler.dense',
  head_dense: 'cls.predictions.transform.dense',
  head_norm: 'cls.predictions.transform.LayerNorm',
  head_bias: 'cls.predictions',
};

/**
 * An encoder with the weights of a checkpoint.
 *
 * @param name `bert` or `bert_mlm`.
 * @param options Inputs and outputs of the model.
 */
export function bertCheckpoint(name: string, options: Partial<BertOptions>): tf.LayersModel {
  const config = checkpointConfig(name);
  const tensors = checkpointTensors(name);
  const model = bert({
    vocabularySize: config.vocab_size,
    maxSequenceLength: config.max_position_embeddings,
    hiddenDim: config.hidden_size,
    numLayers: config.num_hidden_layers,
    numHeads: config.num_attention_heads,
    intermediateDim: config.intermediate_size,
    numTypes: config.type_vocab_size,
    normEpsilon: config.layer_norm_eps,
    activation: config.hidden_act,
    ...options,
  }) as unknown as tf.LayersModel;
  tf.tidy(() => {
    const values = model.weights.map(({ originalName, shape }) => {
      const [, block, part, kind] = /^(?:block_(\d+)\/)?(.*)\/(\w+)$/.exec(originalName)!;
      const theirs = BERT[part];
      const prefix = name === 'bert' || theirs.startsWith('cls') ? '' : 'bert.';
      const layer = block === undefined ? '' : `encoder.layer.${block}.`;
      const suffix = kind === 'bias' || kind === 'beta' ? 'bias' : 'weight';
      const values = Float32Array.from(tensors.get(`${prefix}${layer}${theirs}.${suffix}`)!);
      return kind === 'kernel'
        ? matrix(values, part, shape as number[])
        : tf.tensor(values, shape as number[]);
    });
    model.setWeights(values);
  });
  return model;
}

/** A matrix [out, in] in the shape of our kernel. */
function matrix(values: Float32Array, part: string, shape: number[]): tf.Tensor {
  const inputs = part.endsWith('attention_output') ? shape[0] * shape[1] : shape[0];
  return tf.reshape(tf.transpose(tf.tensor2d(values, [values.length / inputs, inputs])), shape);
}
