// localStorage over the person's entries below "localStorage/".

const MOST_ENTRIES = 10_000;
const CARRY_UNITS = 512 * 1024; // a longer name is slow to hand over; the next page then asks the platform

const piecesNow = new Map(carried.pieces); // key → how many pieces its present value has, where any
const countPieces = (text) => (fitsOneEntry(text) ? 0 : cut(text).length);

const knownRevisions = new Map(carried.revisions); // entry key → revision that this page has seen or made

const localItems = new Items({
  load: () => carried.items ?? decodeEntries(context?.storage?.entries ?? fetchEntries()),
  changed: saveItem,
  check: hasEntriesLeft,
});
const localStore = install("localStorage", localItems);

function decodeEntries(entries) {
  Object.keys(entries).forEach((entryKey) => maybeStored.add(entryKey));
  return Object.entries(entries).flatMap(([entryKey, value]) => {
    const decoded = decodeEntry(entryKey, value, (other) => entries[other]);
    if (!decoded) {
      return [];
    }
    const [key, text, pieces] = decoded;
    notePieces(key, pieces);
    return [[key, text]];
  });
}

// Blocks, as reading from a disk would. Where the platform cannot be reached it throws: an app that believed there is
// nothing would begin anew and write that over what the person has.
function fetchEntries() {
  const entries = {};
  let cursor = context ? "" : null;
  while (cursor !== null) {
    const query = new URLSearchParams({ prefix: PREFIX, limit: "1000", ...(cursor && { cursor }) });
    const { status, body } = requestNow("GET", `${apiAddress}/data?${query}`);
    if (status !== 200) {
      throw new DOMException(`The platform cannot be reached (${status}). Reload to try again.`, "NetworkError");
    }
    for (const { key, value, revision } of body.data.items) {
      entries[key] = value;
      knownRevisions.set(key, revision);
    }
    ({ cursor } = body.data);
  }
  return entries;
}

function notePieces(key, pieces) {
  if (pieces) {
    piecesNow.set(key, pieces);
  } else {
    piecesNow.delete(key);
  }
}

function hasEntriesLeft(key, value) {
  let total = localItems.map.size + (localItems.map.has(key) ? 0 : 1) + countPieces(value);
  for (const [other, pieces] of piecesNow) {
    total += other === key ? 0 : pieces;
  }
  return total <= MOST_ENTRIES;
}

function saveItem(key, value) {
  if (!context) {
    return;
  }
  notePieces(key, value === null ? 0 : countPieces(value));
  outbox.add(idOf(key), operationsFor(key, value), { stored: noteStored, isUrgent: true });
  if (isLeaving) {
    carryOver();
  }
}

const ID = "localStorage:";
const idOf = (key) => ID + key;

function unconfirmedItems() {
  const ids = outbox.unconfirmed().map(({ id }) => id);
  const keys = ids.filter((id) => typeof id === "string" && id.startsWith(ID)).map((id) => id.slice(ID.length));
  return keys.map((key) => [key, localItems.map.get(key) ?? null]);
}

const isSmall = (items) => items.units <= CARRY_UNITS;

if (context) {
  carriers.storage = () => (localItems.loaded ? { revision: feed.since, entries: null } : context.storage);
  carriers.items = () => (localItems.loaded && isSmall(localItems) ? [...localItems.map] : carried.items);
  carriers.pieces = () => [...piecesNow];
  carriers.revisions = () => (isSmall(localItems) ? [...knownRevisions] : []);
  carriers.stored = () => (isSmall(localItems) ? [...maybeStored] : []);
  carriers.unconfirmed = unconfirmedItems;
  (carried.stored ?? []).forEach((entryKey) => maybeStored.add(entryKey));
  // What the last page could not be sure of is sent again: it is the same, and nothing newer exists yet.
  for (const [key, value] of carried.unconfirmed ?? []) {
    localItems.replace(key, value);
    saveItem(key, value);
  }
}
