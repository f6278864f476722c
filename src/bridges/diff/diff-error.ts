/**
 * Why the net effect cannot be told.
 * - `lost`: the feed does not owe all that happened any more.
 * - `filter`, `gaps`: it never did, or parts of it were acknowledged.
 * - `limit`: too much was touched.
 * - `busy`: the feed was acknowledged again and again meanwhile, or not all can be read yet.
 * - `ended`: the feed was removed meanwhile.
 * - `epoch`: the log begins anew amid what is owed; names cannot be followed across that.
 * - `damage`: a record cannot be read, or records and names do not go together.
 */
export type DiffReason =
  | 'lost'
  | 'filter'
  | 'gaps'
  | 'limit'
  | 'busy'
  | 'ended'
  | 'epoch'
  | 'damage';

export class DiffError extends Error {
  override readonly name = 'DiffError';
  readonly reason: DiffReason;

  constructor(reason: DiffReason, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.reason = reason;
  }
}
