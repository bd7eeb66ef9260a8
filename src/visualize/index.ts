/** Masks and attention as heat maps: text for a terminal, SVG for everything else. */
export type { HeatMapOptions, HeatMapValues, NestedValues } from './grid.js';
export { text, type TextOptions } from './text.js';
export { svg, type SvgOptions } from './svg.js';
export { sideBySide, type SideBySideOptions } from './side_by_side.js';
export type { ColorChoice } from './terminal.js';
