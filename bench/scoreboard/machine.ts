/** What the figures were taken on, for the head of the page. */
import { cpus, loadavg, platform, release, totalmem } from 'node:os';
import { PEERS, versionOf } from '../peers/installed.js';

/**
 * Date, processor, memory, load and versions.
 *
 * @param command What was run.
 * @param pytorch PyTorch's version, where a Python has it.
 * @returns Lines of Markdown.
 */
export function machine(command: string, pytorch: string | null): string {
  const processors = cpus();
  const versions = ['@tensorflow/tfjs', '@tensorflow/tfjs-node', ...PEERS].map(
    (name) => `${name} ${versionOf(name) ?? 'not installed'}`,
  );
  versions.push(`PyTorch ${pytorch ?? 'not installed'}`);
  return [
    `- command: \`${command}\``,
    `- date: ${new Date().toISOString().slice(0, 10)}`,
    `- machine: ${processors.length} × ${processors[0].model.trim()}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ` +
      `${platform()} ${release()}, load ${loadavg()[0].toFixed(1)} at the start`,
    `- Node ${process.versions.node} (V8 ${process.versions.v8}), ${versions.join(', ')}`,
  ].join('\n');
}
