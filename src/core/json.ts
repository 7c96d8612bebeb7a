/** JSON text in which bigint becomes a decimal string and non-finite numbers become null, as JSON has neither. */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? v.toString() : v), indent);
}
