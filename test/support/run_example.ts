/** Runs an example as users do: in a process of its own. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** How a process ended, and what it said. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs `examples/<name>/main.ts`, without colors.
 *
 * @param name The example.
 * @param args Its flags.
 * @param interruptAt Text on stderr upon which it gets a Ctrl-C.
 * @returns How it ended.
 */
export function runExample(name: string, args: string[], interruptAt?: string): Promise<Ended> {
  const env = { ...process.env };
  delete env.FORCE_COLOR;
  // Not the command `tsx`: that one kills a process that is too busy to answer a Ctrl-C within 60 ms.
  const command = ['--import', 'tsx', `examples/${name}/main.ts`, ...args];
  const child = spawn(process.execPath, command, { cwd: join(__dirname, '../..'), env });
  let stdout = '';
  let stderr = '';
  let interrupted = false;
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
    if (interrupted || interruptAt === undefined || !stderr.includes(interruptAt)) return;
    interrupted = true;
    child.kill('SIGINT');
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}
