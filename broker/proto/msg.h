/* SPDX-License-Identifier: MIT
 *
 * Every message between the processes of the family, in one table.
 *
 *   D cowbelld   B cowbell-broker   S cowbell-supervisor   I the app's pid 1
 *   K cowbell-keeper   C cowbell-contacts   P cowbell-packages   X cowbell-inspect
 *   N cowbell-dns
 *
 * A message on a channel on which the table does not allow it is a broken
 * promise: the receiver ends the conversation. What I says is the app's word.
 *
 * Bodies are written and read in the order given, with proto/wire.h. "list x"
 * is a u16 count and that many x. Layer ids are u64, written as 16 hex digits
 * on disk. The header's id is a session for all D/B/S/I messages and a job
 * where the row says so.
 */
#ifndef PROTO_MSG_H
#define PROTO_MSG_H

#include <stdint.h>

#define MSG_VERSION 1u

/* X(name, number, from, to) */
#define MSG_TABLE(X)                                                                                                   \
	/* Broker start. fds: listening public socket, directory for LMDB.                                             \
	 * str boot_id, u64 instance, u32 owner_uid, u32 owner_gid, str owner_name, str home, str board, str model,    \
	 * str how it was recognised, list{u8 kind (enum board_kind), str value, u8 unverified} what the board has,    \
	 * str root, u64 features (enum feature), list{u32 base, u32 count} id ranges (65536 ids each, count of them), \
	 * list{u16 gate, str permission, str item, str path, u8 exists} gates,                                        \
	 * list str apps whose sessions outlived the last broker (their SESSION_CHANNELs follow) */                    \
	X(BROKER_HELLO, 1, "D", "B")                                                                                   \
	/* The public socket is being served. */                                                                       \
	X(BROKER_READY, 2, "B", "D")                                                                                   \
	/* More id ranges, please / here they are: list{u32 base, u32 count}, empty when there are none. */            \
	X(RANGES_WANTED, 3, "B", "D")                                                                                  \
	X(RANGES, 4, "D", "B")                                                                                         \
                                                                                                                       \
	/* Start a session. body: struct launch, see proto/launch.h */                                                 \
	X(LAUNCH, 10, "B", "D")                                                                                        \
	/* fds: the broker's end of the session's channel. */                                                          \
	X(SESSION_CHANNEL, 11, "D", "B")                                                                               \
	/* The supervisor was reaped and its cgroup is empty. u32 wait status, str why ("" after a clean end) */       \
	X(SESSION_GONE, 12, "D", "B")                                                                                  \
	/* Kill everything of the session now. */                                                                      \
	X(KILL, 13, "B", "D")                                                                                          \
	/* Make a detached mount of the resource behind a gate and pass it to the supervisor.                          \
	 * u16 gate, u8 give (GIVE_READ, GIVE_WRITE; GIVE_COPY: read-only, as the source of a copy; GIVE_ALLOW: a      \
	 * device), u8 ahead (1: nobody waits for it yet; READ or WRITE of a folder that is there, nothing is made) */                                                                                                  \
	X(OPEN, 14, "B", "D")                                                                                          \
	/* u16 gate, u8 give, u8 ahead, u32 errno (0: the mount went to the supervisor), str why */                              \
	X(OPENED, 15, "D", "B")                                                                                        \
	/* A volume is there or has left: u16 gate, u8 here, str item, str path. The first ones come right after       \
	 * BROKER_HELLO; a number keeps its place until another volume is told of under it. */                         \
	X(VOLUME_SEEN, 140, "D", "B")                                                                                  \
	/* The session has given a device back: u16 gate. What was changed for it on the host is undone, when nobody   \
	 * else uses it. The end of a session says the same of all. */                                                 \
	X(CLOSE, 18, "B", "D")                                                                                         \
                                                                                                                       \
	/* The session's processes are frozen because the disk is nearly full, or go on: u8 held, u64 bytes free, u64 \
	 * bytes that are kept free */                                                                                 \
	X(HELD, 19, "D", "B")                                                                                          \
                                                                                                                       \
	/* A file or folder that its person gives to one command: u32 command, u8 index, u8 write, str name.         \
	 * fds: it, opened by the person's program. Made a detached mount and passed on as HAND_MOUNT, or: */         \
	X(HAND, 16, "B", "D")                                                                                          \
	/* u32 command, u8 index, u32 errno, str why */                                                                \
	X(HAND_FAILED, 17, "D", "B")                                                                                   \
                                                                                                                       \
	/* id is a job. Start a keeper / its channel (fds: one) / it ended: u32 wait status */                         \
	X(KEEPER, 20, "B", "D")                                                                                        \
	X(KEEPER_CHANNEL, 21, "D", "B")                                                                                \
	X(KEEPER_GONE, 22, "D", "B")                                                                                   \
	/* id is a job. Count the owner's contacts: u16 gate / its channel (fds: one) */                               \
	X(CONTACTS, 23, "B", "D")                                                                                      \
	X(CONTACTS_CHANNEL, 24, "D", "B")                                                                              \
                                                                                                                       \
	/* Make everything ready that does not depend on the app. body: struct prepare, see proto/launch.h             \
	 * fds: seccomp program for apps, the cgroup that JOB will name: pid 1 is born in it, which saves a launch the  \
	 * slow move; and the namespace of the mask that was kept, if one was (platform/arm/mask_keep.h) */                                                                                 \
	X(PREPARE, 30, "D", "S")                                                                                       \
	/* The spare is ready (fds: the namespace of a mask that was made anew and can be kept, if it can) / could not be made (u32 errno, str why), and exits. */                                  \
	X(PREPARED, 31, "S", "D")                                                                                      \
	X(PREPARE_FAILED, 32, "S", "D")                                                                                \
	/* Become this session. body as LAUNCH. fds: channel to the broker, cgroup directory */                        \
	X(JOB, 33, "D", "S")                                                                                           \
	/* fds: channel to a new broker; the old one is gone. */                                                       \
	X(BROKER, 34, "D", "S")                                                                                        \
	/* u16 gate, u8 give, u8 ahead. fds: a detached, idmapped mount */                                                       \
	X(MOUNT, 35, "D", "S")                                                                                         \
                                                                                                                       \
	/* u32 command, u8 index, u8 folder, str name. fds: a detached, idmapped mount */                              \
	X(HAND_MOUNT, 36, "D", "S")                                                                                    \
	/* u32 command, u8 index, u32 errno, str why, str where the app finds it */                                    \
	X(HANDED, 37, "S", "B")                                                                                        \
                                                                                                                       \
	/* First message to each broker. body: struct session_hello, see proto/launch.h. Followed by a NEED for each   \
	 * question that still waits, under the number it had. */                                                      \
	X(SESSION_HELLO, 40, "S", "B")                                                                                 \
	/* The root stands, pid 1 waits for commands / could not be made: u32 errno, str why; the supervisor exits. */ \
	X(SESSION_READY, 41, "S", "B")                                                                                 \
	X(SESSION_FAILED, 42, "S", "B")                                                                                \
	/* Run a command. body: struct run, see proto/launch.h. fds: those of 0, 1, 2 that are not the session's pty,  \
	 * and with RUN_LOG one more: the reading end of where it writes, kept for the next broker */ \
	X(RUN, 43, "B", "S")                                                                                           \
	/* u32 command, u32 errno (0: exec done), str why, u8 cwd_changed (HOME was used instead).                     \
	 * fds: the pty's master, if the command has one and errno is 0 */                                             \
	X(RAN, 44, "S", "B")                                                                                           \
	/* u32 command, u32 status (exit status, or 128 + signal), u8 left: processes of the app still run */           \
	X(EXITED, 45, "S", "B")                                                                                        \
	/* u32 command (0: every process of the app), u32 signal */                                                    \
	X(SIGNAL, 46, "B", "S")                                                                                        \
	/* End the session: kill what runs, hold the freeze barrier, exit. */                                          \
	X(END, 47, "B", "S")                                                                                           \
	/* Everything of the app is dead. u32 errno of the barrier (0: no writer is left), str why,                    \
	 * u8 untouched (the upper's fs directory has no entry at all). Then it exits. */                              \
	X(ENDED, 48, "S", "B")                                                                                         \
	/* For a broker that was started anew: u32 command (0: of what it left). fds: the reading end of its RUN_LOG */ \
	X(LOG, 49, "S", "B")                                                                                           \
	/* No process of the app is left, after an EXITED that said that some were. */                                  \
	X(EMPTY, 57, "S", "B")                                                                                         \
	/* A first use waits. u32 question (unique in the session), u16 gate, u32 host pid, str program */             \
	X(NEED, 50, "S", "B")                                                                                          \
	/* u32 question, u16 gate, u8 give, u32 errno (for GIVE_NO), u64 copy_serial, u64 max_bytes, u32 max_files.    \
	 * For READ, WRITE and COPY a MOUNT from D comes too, before or after; a later ANSWER GIVE_NO to the same      \
	 * question withdraws. */                                                                                      \
	X(ANSWER, 51, "B", "S")                                                                                        \
	/* What became of it. u32 question, u16 gate, u8 give, u32 errno, str why, u64 bytes copied, u32 files copied */ \
	X(ANSWERED, 52, "S", "B")                                                                                      \
	/* A decision that stands: the first use of this gate is answered so, with the MOUNT that D sends ahead, and   \
	 * told as USED. u16 gate, u8 give (READ, WRITE, EMPTY), u64 CLOCK_BOOTTIME in ms at which it ends (0: never). \
	 * Taken back by REVOKE; forgotten with the broker that said it. */                                            \
	X(STANDING, 55, "B", "S")                                                                                      \
	/* u16 gate, u8 give, str program */                                                                           \
	X(USED, 56, "S", "B")                                                                                          \
	/* Take away what the gate was given, and what was to be given, and arm it again: u16 gate */                                             \
	X(REVOKE, 53, "B", "S")                                                                                        \
	/* A volume is there: a gate for it at path, unless it has one / it has left: whoever waits there is refused,   \
	 * the gate goes, and REVOKED answers. u16 gate, u8 here, str path */                                          \
	X(VOLUME, 141, "B", "S")                                                                                       \
	/* u16 gate, u32 errno (0: it is off the app's tree), u32 held (open files, mappings, folders of running       \
	 * programs that still reach it, and watches) */                                                               \
	X(REVOKED, 54, "S", "B")                                                                                       \
                                                                                                                       \
	/* To pid 1: u32 command, u8 flags (enum run_flag), u32 uid, u32 gid, str user, str cwd, str home,              \
	 * list str argv, list str env. fds: 0, 1, 2. user: "", or who a service runs as, in the app's own list */                      \
	X(INIT_RUN, 60, "S", "I")                                                                                      \
	/* u32 command, u32 errno (0: exec done), str step that failed, u8 cwd_changed */                              \
	X(INIT_RAN, 61, "I", "S")                                                                                      \
	X(INIT_EXITED, 62, "I", "S") /* u32 command, u32 status, u8 left */                                            \
	X(INIT_SIGNAL, 63, "S", "I") /* u32 command (0: all), u32 signal */                                            \
	X(INIT_EMPTY, 64, "I", "S")  /* as EMPTY */                                                                    \
	X(INIT_LISTENER, 65, "I", "S") /* fds: one, which hears of calls of listen(2) (listened.h); once, and first */                                                                    \
                                                                                                                       \
	/* To a keeper; id is the job. One job, then DONE, then it exits.                                              \
	 * PREPARE: u64 lid, u64 attrs_lid (0: none), u32 base. Makes layers/<lid>/{fs,work}. DONE: bytes and entries     \
	 * are what the disk has left for us, above its floor. */                                                      \
	X(KEEPER_PREPARE, 70, "B", "K")                                                                                \
	/* SETTLE: u64 lid (the upper of an ended session), u64 next_lid, u32 base, list u64 lids (frozen, top first). \
	 * Removes what is equal to the layers below, hashes the rest, tells it in ENTRIES, syncs, and prepares        \
	 * next_lid. Empty: DONE with changed 0, no next_lid. */                                                       \
	X(KEEPER_SETTLE, 71, "B", "K")                                                                                 \
	/* MERGE: u64 new_lid, list u64 range (adjacent, top first), list u64 below (top first) */                     \
	X(KEEPER_MERGE, 72, "B", "K")                                                                                  \
	/* DROP: list u64 lids. Out of layers/ by rename, then deleted. Absent ones are fine. */                       \
	X(KEEPER_DROP, 73, "B", "K")                                                                                   \
	/* KEEP: list u64 lids; may repeat. Then GC, u64 newest: drops every layer up to that lid that no KEEP
	 * named, and empties tmp and trash. A higher lid is younger than the list, and none of its business. */ \
	X(KEEPER_KEEP, 74, "B", "K")                                                                                   \
	X(KEEPER_GC, 75, "B", "K")                                                                                     \
	/* CAT: str path, list u64 lids (top first). fds: where the bytes go. */                                       \
	X(KEEPER_CAT, 76, "B", "K")                                                                                    \
	/* FORGET: str directory inside the root, list u64 lids. Removes that directory from each. */                  \
	X(KEEPER_FORGET, 77, "B", "K")                                                                                 \
	/* list{u8 kind (enum entry_kind), str path, str target, u64 size, u32 mode, u32 uid, u32 gid, u64 mtime_ns,   \
	 * 32 bytes BLAKE2b-256}; paths relative to the root, uid and gid as the app sees them */                      \
	X(KEEPER_ENTRIES, 78, "K", "B")                                                                                \
	/* u32 errno, str why, u8 changed (1; 3: changed, but there is no room for next_lid), u64 entries, u64 bytes on disk, 32 bytes root hash */                       \
	X(KEEPER_DONE, 79, "K", "B")                                                                                   \
                                                                                                                       \
	/* PACKAGE_PUT, PACKAGE_GET: u64 lid, u16 index. fds: the package comes from there / goes there.                \
	 * PACKAGE_CARRY: u64 from lid, u64 to lid: the other layer keeps the same packages; DONE's entries: how many */ \
	X(KEEPER_PACKAGE_PUT, 80, "B", "K")                                                                            \
	X(KEEPER_PACKAGE_GET, 81, "B", "K")                                                                            \
	X(KEEPER_PACKAGE_CARRY, 82, "B", "K")                                                                          \
	/* DONE: bytes and entries are what the disk has left for us, above its floor. */                              \
	X(KEEPER_ROOM, 119, "B", "K")                                                                                  \
                                                                                                                       \
	/* id is the job. u32 errno, str why, u32 count, list str names (at most 64) */                                \
	X(CONTACTS_RESULT, 90, "C", "B")                                                                               \
                                                                                                                       \
	/* A first packet, or a look-up, waits. u32 question, u8 kind (enum net_want), u8 version, 16 bytes address,   \
	 * u16 port, u8 protocol, u8 local, str name (as the app's own look-ups know it, or what is looked up),        \
	 * str program */                                                                                              \
	X(NET_NEED, 100, "S", "B")                                                                                     \
	/* u32 question, u8 give (GIVE_NO, GIVE_ALLOW), u8 for (enum net_for), u64 milliseconds (0: no end by time) */ \
	X(NET_ANSWER, 101, "B", "S")                                                                                   \
	/* A link for this session, and is that address the host's own? u32 question, u8 version, 16 bytes address */  \
	X(NET_LINK, 102, "B", "D")                                                                                     \
	/* u32 question, u8 own, u32 errno (0: the link stands), str why */                                            \
	X(NET_LINKED, 103, "D", "B")                                                                                   \
	/* Do rules of the host let apps' packets pass? u32 ticket, u8 version (0: to the internet, by both), 16 bytes \
	 * address. id: a session, or 0, nobody's. FIREWALL_SEEN answers. */ \
	X(FIREWALL_LOOK, 114, "B", "D")                                                                                \
	/* u32 ticket, u32 bits of enum firewall: who has rules on this host, list{u8 version, u8 enum firewall_end,   \
	 * u8 family of the table, u8 by_policy, str table, str chain} */                                              \
	X(FIREWALL_SEEN, 115, "D", "B")                                                                                \
	/* u8 cut, str item ("" for everything): ask again, and end what it speaks of. REVOKED answers, with the network's gate. */           \
	X(NET_REVOKE, 104, "B", "S")                                                                                   \
	/* What went through so far, please: u32 ticket, not 0. NET_TRAFFIC answers. */                                 \
	X(NET_COUNT, 107, "B", "S")                                                                                    \
	/* Since the session began. u32 ticket (0: by itself, at a cut, a cap and the end), u8 caps that were reached   \
	 * just now (bits of enum net_scope), for the internet and the local network each: u64 bytes up, down,         \
	 * u64 flows, u64 packets refused; list{u8 local, str name or address, the same four} of the busiest hosts */   \
	X(NET_TRAFFIC, 108, "S", "B")                                                                                  \
	/* u8 enum net_scope, u64 bytes that may still go, both ways (UINT64_MAX: no end) */                           \
	X(NET_CAP, 113, "B", "S")                                                                                      \
	/* Who waits for connections from outside, all of them, whenever that has changed: list{u16 port, str program} */ \
	X(LISTENS, 116, "S", "B")                                                                                      \
	/* u16 port, u8 open: what comes to it may come in; or no more, and what came in is cut */                     \
	X(LISTEN, 117, "B", "S")                                                                                       \
	/* u16 port, u8 open: the host's port leads to this session / u16 port, u32 errno (0: it does), str why */     \
	X(LISTEN_OPEN, 118, "B", "D")                                                                                  \
	X(LISTEN_OPENED, 127, "D", "B")                                                                                \
	/* The app looks a name up / the channel of the process that resolves (fds: one; none: it could not start) */   \
	X(DNS_WANTED, 105, "S", "D")                                                                                   \
	X(DNS_CHANNEL, 106, "D", "S")                                                                                  \
	/* fds: the listening sockets (UDP, TCP, and both for IPv6 if the app has it) */                                \
	X(DNS_SOCKETS, 109, "S", "N")                                                                                  \
	/* u32 question, u8 version, u8 protocol and u16 port that it came from, str name / u32 question, u8 give. NO   \
	 * is answered with NXDOMAIN. */                                                                               \
	X(DNS_NEED, 110, "N", "S")                                                                                     \
	X(DNS_ANSWER, 111, "S", "N")                                                                                   \
	/* Addresses of a name that was looked up and allowed, before the app hears them. str name, u32 seconds,       \
	 * list{u8 version, 16 bytes} */                                                                               \
	X(DNS_LEARNED, 112, "N", "S")                                                                                  \
                                                                                                                       \
	/* id is a job. The host's own package manager, asked / its channel (fds: one) */                              \
	X(PACKAGES, 120, "B", "D")                                                                                     \
	X(PACKAGES_CHANNEL, 121, "D", "B")                                                                             \
	/* One question, then DONE, then it exits. u8 enum package_want, list str words (names; for SATISFY a          \
	 * dependency each), each at most 1023 bytes */                                                                \
	X(PACKAGES_ASK, 122, "B", "P")                                                                                 \
	/* body: struct package_item, see proto/package.h */                                                           \
	X(PACKAGES_ITEM, 123, "P", "B")                                                                                \
	/* u32 thousandths of the download */                                                                          \
	X(PACKAGES_PROGRESS, 124, "P", "B")                                                                            \
	/* str name. fds: the package, verified by the package manager. Those that were asked for come first. */       \
	X(PACKAGES_FILE, 125, "P", "B")                                                                                \
	/* u32 errno (ENOSYS: there is none that can be asked), str why */                                             \
	X(PACKAGES_DONE, 126, "P", "B")                                                                                \
                                                                                                                       \
	/* id is a job. A reader of what strangers made, with no rights / its channel (fds: one) */                    \
	X(INSPECT, 130, "B", "D")                                                                                      \
	X(INSPECT_CHANNEL, 131, "D", "B")                                                                              \
	/* One thing to read, then DONE, then it exits. u8 enum inspect_what. fds: the file, or the end of a pipe */   \
	X(INSPECT_ASK, 132, "B", "X")                                                                                  \
	/* u16 enum inspect_key, str value: one fact; texts are escaped */                                             \
	X(INSPECT_FACT, 133, "X", "B")                                                                                 \
	/* u32 errno, str why */                                                                                       \
	X(INSPECT_DONE, 134, "X", "B")

enum msg_op {
#define X(name, number, from, to) MSG_##name = (number),
	MSG_TABLE(X)
#undef X
};

/* What a keeper found at a path in a layer. Target is the symlink's text, the
 * old path for MOVED, else "". */
enum entry_kind {
	ENTRY_DELETED = 0, /* a whiteout: was there below, is gone */
	ENTRY_FILE = 1,
	ENTRY_DIR = 2,
	ENTRY_SYMLINK = 3,
	ENTRY_FIFO = 4,
	ENTRY_SOCKET = 5,
	ENTRY_REPLACED = 6, /* a directory that hides the one of the same name below (opaque) */
	ENTRY_MOVED = 7,    /* a directory renamed from target (redirect) */
};

/* What this kernel and system can do (bits). */
enum feature {
	FEATURE_CGROUP_KILL = 1 << 0,
	FEATURE_CGROUP_MEMORY = 1 << 1, /* memory.max can be set */
	FEATURE_CGROUP_PIDS = 1 << 2,
	FEATURE_IDMAP_TMPFS = 1 << 3, /* kernel 6.3 */
	FEATURE_REFLINK = 1 << 4,     /* on the store's file system */
	FEATURE_NET_QUEUE = 1 << 5,   /* packets are held by nft's own queue */
	FEATURE_NET_COMPAT = 1 << 6,  /* ... by the older target */
	FEATURE_NET_IPV6 = 1 << 7,    /* apps can have IPv6 */
};

/* What waits on the network, and for what an answer is. */
enum net_want { NET_WANT_FLOW = 0, NET_WANT_NAME = 1 };
#define LISTENS_MAX 16u /* ports of one app that are spoken of; it can be reached at no other */
enum net_for {
	NET_FOR_ONCE = 0,    /* this flow */
	NET_FOR_HOST = 1,    /* this address, protocol and port */
	NET_FOR_SCOPE = 2,   /* all of the internet, or of the local network */
};

/* What became of a packet as an app would send it. */
enum firewall_end {
	FIREWALL_OFFLINE = 0, /* there is no way there */
	FIREWALL_NOT_SEEN,    /* it could not be tried */
	FIREWALL_PASSES,
	FIREWALL_DROPS,       /* by the chain that is named */
	FIREWALL_HIDDEN,      /* by nothing that nftables shows */
	FIREWALL_LEGACY,      /* the same, and the older iptables has rules */
};

/* The name of an opcode, NULL for an unknown one. */
const char *msg_op_name(unsigned int op);

/* True when the table lets from ('D', 'B', ...) send op to to. */
int msg_allowed(unsigned int op, char from, char to);

#endif
