/** Where a run keeps its timeline. */
export function timelineFile(runFolder: string): string {
  return `${runFolder}/timeline.ptqt`;
}

/** Where a run says where its trace lies: JSON of a `RunTraceRecord`. */
export function traceRecordFile(runFolder: string): string {
  return `${runFolder}/trace.json`;
}

/** Where a run keeps what the nodes of a variant cost: JSON of an `Explanation`. */
export function sensitivityFile(runFolder: string, variant: string): string {
  return `${runFolder}/sensitivity-${variant}.json`;
}

/** Where a run keeps the items of a variant whose answer changed, one JSON object a line. */
export function changedItemsFile(runFolder: string, variant: string): string {
  return `${runFolder}/changed-${variant}.jsonl`;
}
