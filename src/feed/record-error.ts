/**
 * A record that cannot be encoded, or bytes or text that are not a record.
 * `field` names what is wrong in the terms of FORMAT.md; `position` is the byte
 * where it stands in the buffer that was given, if there is one.
 */
export class RecordError extends Error {
  override readonly name = 'RecordError';
  readonly field: string;
  readonly position: number | undefined;

  constructor(field: string, problem: string, position?: number, options?: { cause?: unknown }) {
    const where = position === undefined ? '' : ` at byte ${position}`;
    super(`bad record: ${field}${where}: ${problem}`, options);
    this.field = field;
    this.position = position;
  }
}
