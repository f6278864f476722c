/** The JSON object that a control file's text is: what JSON.parse lets pass and people do not mean is refused too. */
const QUOTED_CHARACTERS_MAX = 40;
const MESSAGE_CHARACTERS_MAX = 120;

export type JsonObject = Readonly<Record<string, unknown>>;

/** A value as JSON, cut to what fits into a message; of a list or an object only that it is one. */
export function quoted(value: unknown): string {
  // They may be nested deeper than JSON.stringify can go.
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  return text.length <= QUOTED_CHARACTERS_MAX ? text : `${text.slice(0, QUOTED_CHARACTERS_MAX)}…`;
}

/** The object, or, as text, why there is none. */
export function parseJsonObject(text: string): JsonObject | string {
  // Bytes that are no UTF-8 have become this character on their way.
  if (text.includes('\ufffd')) return 'is not UTF-8; bytes that are none go in {"base64":"…"}';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `is not JSON, or came in more than one write: ${printable((error as Error).message)}`;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return `is ${quoted(value)}, not a JSON object`;
  }
  const twice = repeatedKey(text);
  if (twice !== undefined) return `has ${quoted(twice)} twice in one object`;
  return value as JsonObject;
}

/** The engine quotes the text, which may hold what acts on a terminal. */
function printable(message: string): string {
  return message.replace(/[^ -~]/g, '?').slice(0, MESSAGE_CHARACTERS_MAX);
}

const COLON = /\s*:/y;

/** A key that stands twice in one object of a valid JSON text: JSON.parse keeps the last silently. */
function repeatedKey(text: string): string | undefined {
  /** Keys of each object that is open; undefined for a list. */
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '{') open.push(new Set());
    else if (char === '[') open.push(undefined);
    else if (char === '}' || char === ']') open.pop();
    else if (char === '"') {
      const end = endOfString(text, at);
      COLON.lastIndex = end;
      if (COLON.test(text)) {
        const key = JSON.parse(text.slice(at, end)) as string;
        const keys = open.at(-1);
        if (keys?.has(key)) return key;
        keys?.add(key);
      }
      at = end - 1;
    }
  }
  return undefined;
}

/** Behind the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}
