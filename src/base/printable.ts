/** Text of somebody else on a terminal. */
const PRINTABLE_LOW = 0x20;
const DELETE = 0x7f;
const C1_END = 0x9f;
const BACKSLASH = 0x5c;
const LINE_ENDS_AND_TABS = new Set([0x09, 0x0a]);

/** On one line and harmless: control characters and backslashes as `\xNN`, others as they are. */
export function printableText(text: string): string {
  return escaped(text, (code) => isControl(code) || code === BACKSLASH);
}

/** The same for a message that may have several lines, and things in it that were made printable before. */
export function harmlessText(text: string): string {
  return escaped(text, (code) => isControl(code) && !LINE_ENDS_AND_TABS.has(code));
}

export function hexEscape(code: number): string {
  return `\\x${code.toString(16).padStart(2, '0')}`;
}

function isControl(code: number): boolean {
  return code < PRINTABLE_LOW || (code >= DELETE && code <= C1_END);
}

function escaped(text: string, isEscaped: (code: number) => boolean): string {
  let result = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    result += isEscaped(code) ? hexEscape(code) : character;
  }
  return result;
}
