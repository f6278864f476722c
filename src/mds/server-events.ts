/** What the metadata server counts as events (`feedfs stats`). */
export const SERVER_EVENTS = [
  /** Changes refused because a feed that must not miss them is full. */
  'changes_blocked',
  /** Accesses refused for the same reason. */
  'accesses_blocked',
  /** Accesses without a record, because the disk is full. */
  'accesses_dropped',
  /** A filter or policy that was not taken. */
  'settings_refused',
  'feeds_expired',
  /** Records that a feed lost to its policy. */
  'records_dropped',
  /** Watches refused: not permitted, or too many. */
  'watches_refused',
  /** Records that watches lost because nobody read them in time. */
  'watch_records_dropped',
  /** Clients that lost what they had: they did not answer, did not come back, or broke the rules. */
  'clients_evicted',
  /** Connections of who is not allowed, or is not who it says it is. */
  'clients_refused',
  /** Opens and changes that a client had no right to bring back. */
  'capabilities_refused',
  'receipts_refused',
] as const;

export type ServerEvent = (typeof SERVER_EVENTS)[number];
