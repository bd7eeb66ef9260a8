/** Keyword arguments of a call. */
export type CallArguments = Record<string, unknown>;
