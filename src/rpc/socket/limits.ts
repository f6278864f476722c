/** Limits of what crosses a socket, in one place; those of whole messages are in rpc/limits.ts. */

/** Bytes of a frame before its body. */
export const FRAME_HEADER_BYTES = 12;

/** Bytes that wait for one connection's transport; with more the connection is ended. */
export const QUEUED_BYTES_MAX = 32 * 2 ** 20;

/** Messages of one connection that are handled before the others have their turn. */
export const MESSAGES_PER_TURN = 64;

/** Taken from a socket at a time, where it is read directly. */
export const RECEIVE_BYTES = 64 * 1_024;

/** How long sockets are asked in a row before the event loop has a turn, in microseconds. */
export const POLL_SLICE_US = 20;

/** Bytes of the first message to a server: who says hello. More comes from nobody that is not known. */
export const FIRST_MESSAGE_BYTES_MAX = 16 * 1_024;

/** Connections to one server at a time. */
export const CONNECTIONS_MAX = 1_024;

/** What is queued when a connection is ended may take this long to reach the other side. */
export const LINGER_MS = 5_000;

/** Time for a connection to be made, and for the handshake of TLS. */
export const CONNECT_MS = 10_000;

/** A TCP connection that is idle this long is asked whether the other side is still there. */
export const KEEPALIVE_MS = 10_000;

/** Longest path of a unix socket: sun_path of unix(7), less its NUL. */
export const SOCKET_PATH_BYTES_MAX = 107;

/** Longest name that the kernel passes on (FUSE_NAME_MAX); what is too long for a file the server says. */
export const WIRE_NAME_BYTES_MAX = 1_024;

/** Longest link target: PATH_MAX. */
export const WIRE_TARGET_BYTES_MAX = 4_096;

/** Value of an extended attribute: XATTR_SIZE_MAX; and names of one object: XATTR_LIST_MAX, one byte each. */
export const WIRE_XATTR_BYTES_MAX = 65_536;
export const WIRE_XATTR_NAMES_MAX = 65_536;

/** Words for people, addresses, names of hosts. */
export const WORDS_BYTES_MAX = 4_096;

/** As records have room for (feed/record-limits.ts). */
export const JOBID_BYTES_MAX = 255;
export const NID_BYTES_MAX = 255;

/** Filters, policies and descriptions of feeds. */
export const TEXT_BYTES_MAX = 256 * 1_024;

/** Groups of one user: NGROUPS_MAX. */
export const GROUPS_MAX = 65_536;

/** Rows of any list that has no limit of its own: the message's length ends it first. */
export const ROWS_MAX = 65_536;

/** Entries of a directory that one answer brings. */
export const READDIR_ENTRIES_MAX = 1_024;

/** Numbers of a histogram: one for each power of two. */
export const HISTOGRAM_ROWS_MAX = 64;

/** Objects that one message may ask the names of. */
export const PLACES_FIDS_MAX = 4_096;

/** Feeds that one answer may list. */
export const FEED_ROWS_MAX = 16_384;

/** Bytes that a read of a feed, a watch or a baseline may bring. */
export const ROOM_MAX = 1_024 * 1_024;

/** Bytes of entries that one answer brings, about. */
export const READDIR_BYTES_MAX = 64 * 1_024;

/** Entries that a client asks for at first, and at most: the kernel's buffer has room for so many. */
export const READDIR_ENTRIES_FIRST = 128;
