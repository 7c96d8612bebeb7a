const IMAGE = /\.(?:jpe?g|png|webp)$/i;

/** Whether a name is that of a picture in a format that can be read. */
export function isImageName(name: string): boolean {
  return IMAGE.test(name);
}
