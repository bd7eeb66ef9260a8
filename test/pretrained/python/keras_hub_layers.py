"""The layers of keras-hub that the fixtures use, for a Python without keras-hub: same options, weights and results, no cache.

`check_saved.py` first loads the fixtures that the real keras-hub saved, with these layers, and compares their outputs: that
is what shows that they are the same.
"""
import keras
from keras import layers as L, ops

register = keras.saving.register_keras_serializable("keras_hub")


def merged(padding_mask, attention_mask):
    """[B, 1, S] or [B, T, S]: both masks hold."""
    if padding_mask is None:
        return None if attention_mask is None else ops.cast(attention_mask, "bool")
    padding_mask = ops.expand_dims(ops.cast(padding_mask, "bool"), 1)
    return padding_mask if attention_mask is None else ops.logical_and(padding_mask, ops.cast(attention_mask, "bool"))


def mask_of(x, given):
    return given if given is not None else getattr(x, "_keras_mask", None)


def unmasked(x):
    """The tensor without the mask beside it, which would reach the queries too."""
    return x + 0


class Block(L.Layer):
    def __init__(self, intermediate_dim, num_heads, dropout=0, activation="relu", layer_norm_epsilon=1e-5, kernel_initializer="glorot_uniform",
                 bias_initializer="zeros", normalize_first=False, **kwargs):
        for name in ("decoder_sequence_shape", "encoder_sequence_shape"):
            setattr(self, "_" + name, kwargs.pop(name, None)) if name in kwargs else None
        super().__init__(**kwargs)
        self.options = dict(intermediate_dim=intermediate_dim, num_heads=num_heads, dropout=dropout, activation=keras.activations.serialize(keras.activations.get(activation)),
                            layer_norm_epsilon=layer_norm_epsilon, normalize_first=normalize_first)
        self.supports_masking = True

    def get_config(self):
        return {**super().get_config(), **self.options}

    def attention(self, name, query, value):
        layer = L.MultiHeadAttention(self.options["num_heads"], query[-1] // self.options["num_heads"], dropout=self.options["dropout"],
                                     dtype=self.dtype_policy, name=name)
        layer.build(query, value)
        return layer, self.norm(name + "_norm", query)

    def norm(self, name, shape):
        layer = L.LayerNormalization(epsilon=self.options["layer_norm_epsilon"], dtype=self.dtype_policy, name=name)
        layer.build(shape)
        return layer

    def feedforward(self, shape):
        inner, outer = L.Dense(self.options["intermediate_dim"], activation=self.options["activation"], dtype=self.dtype_policy,
                               name="feedforward_intermediate_dense"), L.Dense(shape[-1], dtype=self.dtype_policy, name="feedforward_output_dense")
        inner.build(shape)
        outer.build((*shape[:-1], self.options["intermediate_dim"]))
        return inner, outer

    def residual(self, x, norm, f):
        return x + f(norm(x)) if self.options["normalize_first"] else norm(x + f(x))


@register
class TransformerEncoder(Block):
    def build(self, shape):
        self._self_attention_layer, self._self_attention_layer_norm = self.attention("self_attention_layer", shape, shape)
        self._feedforward_layer_norm = self.norm("feedforward_layer_norm", shape)
        self._feedforward_intermediate_dense, self._feedforward_output_dense = self.feedforward(shape)
        self.built = True

    def call(self, inputs, padding_mask=None, attention_mask=None):
        mask = merged(mask_of(inputs, padding_mask), attention_mask)
        attend = lambda x: self._self_attention_layer(unmasked(x), unmasked(x), attention_mask=mask)
        x = self.residual(inputs, self._self_attention_layer_norm, attend)
        return self.residual(x, self._feedforward_layer_norm,
                             lambda x: self._feedforward_output_dense(self._feedforward_intermediate_dense(x)))


@register
class TransformerDecoder(Block):
    def build(self, decoder_sequence_shape, encoder_sequence_shape=None):
        shape = decoder_sequence_shape
        self._self_attention_layer, self._self_attention_layer_norm = self.attention("self_attention", shape, shape)
        if encoder_sequence_shape is not None:
            self._cross_attention_layer, self._cross_attention_layer_norm = self.attention("cross_attention", shape, encoder_sequence_shape)
        self._feedforward_intermediate_dense, self._feedforward_output_dense = self.feedforward(shape)
        self._feedforward_layer_norm = self.norm("feedforward_layer_norm", shape)
        self.built = True

    def call(self, decoder_sequence, encoder_sequence=None, decoder_padding_mask=None, decoder_attention_mask=None, encoder_padding_mask=None,
             encoder_attention_mask=None, use_causal_mask=True):
        mask = merged(mask_of(decoder_sequence, decoder_padding_mask), decoder_attention_mask)
        attend = lambda x: self._self_attention_layer(unmasked(x), unmasked(x), attention_mask=mask, use_causal_mask=use_causal_mask)
        x = self.residual(decoder_sequence, self._self_attention_layer_norm, attend)
        if encoder_sequence is not None:
            seen = merged(mask_of(encoder_sequence, encoder_padding_mask), encoder_attention_mask)
            cross = lambda x: self._cross_attention_layer(unmasked(x), unmasked(encoder_sequence), attention_mask=seen)
            x = self.residual(x, self._cross_attention_layer_norm, cross)
        return self.residual(x, self._feedforward_layer_norm,
                             lambda x: self._feedforward_output_dense(self._feedforward_intermediate_dense(x)))

    def compute_output_shape(self, decoder_sequence_shape, encoder_sequence_shape=None):
        return decoder_sequence_shape


@register
class PositionEmbedding(L.Layer):
    def __init__(self, sequence_length, initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.sequence_length, self.initializer = int(sequence_length), keras.initializers.get(initializer)

    def build(self, shape):
        self.position_embeddings = self.add_weight(shape=(self.sequence_length, shape[-1]), initializer=self.initializer, name="embeddings")

    def call(self, inputs, start_index=0, positions=None):
        if positions is None:
            positions = ops.arange(ops.shape(inputs)[1]) + start_index
        rows = ops.take(ops.convert_to_tensor(self.position_embeddings), positions, axis=0)
        return ops.broadcast_to(rows, ops.shape(inputs))

    def compute_output_shape(self, shape):
        return shape

    def get_config(self):
        return {**super().get_config(), "sequence_length": self.sequence_length, "initializer": keras.initializers.serialize(self.initializer)}


@register
class SinePositionEncoding(L.Layer):
    def __init__(self, max_wavelength=10000, **kwargs):
        super().__init__(**kwargs)
        self.max_wavelength = max_wavelength

    def call(self, inputs, start_index=0, positions=None):
        steps, width = ops.shape(inputs)[1], ops.shape(inputs)[2]
        if positions is None:
            positions = ops.arange(steps) + start_index
        i = ops.cast(ops.arange(width), "float32")
        angles = ops.cast(positions, "float32")[..., None] * ops.power(1.0 / self.max_wavelength, 2 * ops.floor(i / 2) / width)
        even = ops.cast(ops.arange(width) % 2 == 0, "float32")
        return ops.broadcast_to(ops.sin(angles) * even + ops.cos(angles) * (1 - even), ops.shape(inputs))

    def compute_output_shape(self, shape):
        return shape

    def get_config(self):
        return {**super().get_config(), "max_wavelength": self.max_wavelength}


@register
class RotaryEmbedding(L.Layer):
    def __init__(self, max_wavelength=10000, scaling_factor=1.0, sequence_axis=1, feature_axis=-1, rope_type="linear", **kwargs):
        for name in ("beta_fast", "beta_slow", "original_max_position_embeddings", "truncate", "denominator_dim"):
            kwargs.pop(name, None)
        super().__init__(**kwargs)
        assert rope_type == "linear" and feature_axis in (-1, 3)
        self.options = dict(max_wavelength=max_wavelength, scaling_factor=scaling_factor, sequence_axis=sequence_axis)

    def call(self, inputs, start_index=0):
        steps, width = ops.shape(inputs)[self.options["sequence_axis"]], inputs.shape[-1]
        positions = (ops.cast(ops.arange(steps), "float32") + start_index) / self.options["scaling_factor"]
        angles = positions[:, None] * ops.power(float(self.options["max_wavelength"]), -ops.arange(0, width, 2, dtype="float32") / width)
        shape = [1] * len(inputs.shape)
        shape[self.options["sequence_axis"]], shape[-1] = steps, width
        angles = ops.reshape(ops.concatenate([angles, angles], -1), shape)
        left, right = ops.split(inputs, 2, axis=-1)
        return inputs * ops.cos(angles) + ops.concatenate([-right, left], -1) * ops.sin(angles)

    def get_config(self):
        return {**super().get_config(), **self.options}


@register
class TokenAndPositionEmbedding(L.Layer):
    def __init__(self, vocabulary_size, sequence_length, embedding_dim, tie_weights=True, embeddings_initializer="uniform", mask_zero=False, **kwargs):
        super().__init__(**kwargs)
        self.options = dict(vocabulary_size=vocabulary_size, sequence_length=sequence_length, embedding_dim=embedding_dim, tie_weights=tie_weights,
                            mask_zero=mask_zero)
        self.token_embedding = L.ReversibleEmbedding(vocabulary_size, embedding_dim, tie_weights=tie_weights, mask_zero=mask_zero,
                                                     dtype=self.dtype_policy, name="token_embedding")
        self.position_embedding = PositionEmbedding(sequence_length, dtype=self.dtype_policy, name="position_embedding")
        self.supports_masking = True

    def build(self, shape):
        self.token_embedding.build(shape)
        self.position_embedding.build((*shape, self.options["embedding_dim"]))
        self.built = True

    def call(self, inputs, start_index=0):
        tokens = self.token_embedding(inputs)
        return tokens + self.position_embedding(tokens, start_index=start_index)

    def compute_mask(self, inputs, mask=None):
        return ops.not_equal(inputs, 0) if self.options["mask_zero"] else None

    def compute_output_shape(self, shape):
        return (*shape, self.options["embedding_dim"])

    def get_config(self):
        return {**super().get_config(), **self.options}


@register
def gelu_approximate(x):
    return keras.activations.gelu(x, approximate=True)
