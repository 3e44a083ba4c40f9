/**
 * Threads that Node calls the file system and looks up names with. Each call to a volume that hangs keeps one until the volume answers: an alignment makes eight at a time, the requests of an engine up to
 * sixteen, and a few are made beside. With Node's four the lookups of names, and all files elsewhere, would wait as well. Lookups get half of the threads at most.
 */
export const poolThreads = 48;

/** Before the first use of the pool. A number that was set from outside stays. */
export function widenThreadPool(environment: NodeJS.ProcessEnv): void {
  environment.UV_THREADPOOL_SIZE ??= String(poolThreads);
}
