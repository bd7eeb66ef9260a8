export * from './rms_norm';
