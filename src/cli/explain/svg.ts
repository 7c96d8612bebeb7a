import { escapeXml } from '../escape-xml.ts';

/** A picture that scales with the page. @param label what it shows, for those who do not see it */
export function picture(width: number, height: number, label: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(label)}">`,
    ...parts,
    '</svg>',
  ].join('\n');
}

export function text(
  x: number,
  y: number,
  words: string,
  {
    anchor = 'start',
    kind = 'label',
  }: { readonly anchor?: 'start' | 'middle' | 'end'; readonly kind?: string } = {},
): string {
  return `<text class="${kind}" x="${at(x)}" y="${at(y)}" text-anchor="${anchor}">${escapeXml(words)}</text>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, kind: string): string {
  return `<line class="${kind}" x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}"/>`;
}

/** @param title what is shown when it is pointed at */
export function box(
  {
    x,
    y,
    width,
    height,
  }: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  kind: string,
  title = '',
): string {
  const place = `x="${at(x)}" y="${at(y)}" width="${at(Math.max(0, width))}" height="${at(Math.max(0, height))}"`;
  return title === ''
    ? `<rect class="${kind}" ${place}/>`
    : `<rect class="${kind}" ${place}><title>${escapeXml(title)}</title></rect>`;
}

export function dot(x: number, y: number, kind: string, title: string): string {
  return `<circle class="${kind}" cx="${at(x)}" cy="${at(y)}" r="3.5"><title>${escapeXml(title)}</title></circle>`;
}

export function at(coordinate: number): string {
  return coordinate.toFixed(1);
}

/** A figure as people read it in a picture: three digits. */
export function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** A name that leaves room for others; its end tells more than its beginning. */
export function shortened(name: string, longest: number): string {
  return name.length <= longest ? name : `…${name.slice(1 - longest)}`;
}
