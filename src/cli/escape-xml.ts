/** Text as it may stand in XML and HTML, between tags and in attributes with double quotes. */
export function escapeXml(words: string): string {
  return words.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
