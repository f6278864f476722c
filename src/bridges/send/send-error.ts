/**
 * Why a stream cannot be sent, or not sent on. The message is for people and says what to do.
 * - `incomplete`: the feed does not have everything (any more) that the stream would need.
 * - `beyond`: it should begin where the feed has not come yet.
 * - `baseline`, `contents`, `records`: the filesystem gave what cannot be sent.
 * - `receiver`: whoever receives said what makes no sense, or is no copy of this.
 * - `ended`: whoever receives is gone.
 * - `epoch`: the log begins anew, and the receiver has not confirmed what was before that.
 */
export type SendErrorKind =
  | 'incomplete'
  | 'beyond'
  | 'baseline'
  | 'contents'
  | 'records'
  | 'receiver'
  | 'ended'
  | 'epoch';

export class SendError extends Error {
  override readonly name = 'SendError';
  readonly kind: SendErrorKind;

  constructor(kind: SendErrorKind, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.kind = kind;
  }
}
