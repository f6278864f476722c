/** Elements of an SVG as text. */

export type Attributes = Readonly<Record<string, string | number>>;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

export function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ENTITIES[c] ?? c);
}

/** A tenth of a pixel is enough, and keeps the files small and alike from run to run. */
function coordinate(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** `children` are elements already, not text. */
export function element(
  name: string,
  attributes: Attributes,
  children: readonly string[] = [],
): string {
  const list = Object.entries(attributes).map(([key, value]) => {
    const text = typeof value === 'number' ? coordinate(value) : escapeText(value);
    return ` ${key}="${text}"`;
  });
  const open = `<${name}${list.join('')}`;
  return children.length === 0 ? `${open}/>` : `${open}>${children.join('')}</${name}>`;
}

export function text(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return element('text', { x, y, ...attributes }, [escapeText(content)]);
}
