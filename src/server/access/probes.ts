/** What a supervisor asks of a process that it has started, without credentials. */
export const PROBES: ReadonlySet<string> = new Set(['/-/healthy', '/-/ready']);
