import { spawn } from "node:child_process";

export interface CommandOptions {
  /** Written to the command's standard input. Default: none. */
  input?: string;
  /** Added to this process's environment. */
  environment?: Record<string, string>;
  /** The command's working directory. Default: this process's. */
  directory?: string;
  /** The command is killed after so long. Default 120. */
  deadlineSeconds?: number;
  /** Show the output while it is written, as well as returning it. Default false. */
  echo?: boolean;
}

/**
 * Runs a command to its end.
 * @returns its standard output
 * @throws Error with the command's line and what it wrote to its standard error, when it ends with another code than 0 or not in time
 */
export function run(command: string, args: string[], options: CommandOptions = {}): Promise<string> {
  const deadlineSeconds = options.deadlineSeconds ?? 120;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.directory,
      env: { ...process.env, ...options.environment },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, deadlineSeconds * 1000);
    child.stdout.on("data", (chunk: Buffer) => {
      output.push(chunk);
      if (options.echo) process.stdout.write(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      errors.push(chunk);
      if (options.echo) process.stderr.write(chunk);
    });
    child.on("error", error => {
      clearTimeout(timer);
      reject(new Error(`cannot run ${command}: ${error.message}`));
    });
    // "exit" and not "close": a daemon that the command leaves behind may keep its output open.
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      setImmediate(() => {
        const text = Buffer.concat(output).toString();
        if (code === 0) return resolve(text);
        const end = late ? `did not end within ${deadlineSeconds} s` : `ended with ${signal ?? code}`;
        const said = Buffer.concat(errors).toString().trim() || text.trim();
        reject(new Error(`${command} ${args.join(" ")} ${end}\n${said.slice(-4000)}`));
      });
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
  });
}
