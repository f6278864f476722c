/** The users of the permission tests. Alice is in Bob's group and in the staff, Bob is only himself. */
import type { Who } from './case.js';

/** A group of Alice's that is no user's own. */
export const STAFF = 30_003;
export const ALICE = { uid: 10_001, gid: 20_001, groups: [STAFF, 20_002] } as const satisfies Who;
export const BOB = { uid: 10_002, gid: 20_002 } as const satisfies Who;
