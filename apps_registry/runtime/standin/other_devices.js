// A change of localStorage on another device, or in another tab: the value changes here, and the page hears of it by
// the standard's own "storage" event.

const held = new Map(); // entry key → change that arrived while a write of this page was under way

function isUnconfirmed(entryKey) {
  return outbox.unconfirmed().some(({ operations }) => operations.some(({ key }) => key === entryKey));
}

function receive(change) {
  if (!change.key.startsWith(PREFIX)) {
    return;
  }
  if (!change.deleted) {
    maybeStored.add(change.key);
  }
  if (isUnconfirmed(change.key)) {
    held.set(change.key, change); // which of both is later shows when the platform has answered
  } else if (change.revision > (knownRevisions.get(change.key) ?? 0)) {
    knownRevisions.set(change.key, change.revision);
    apply(change).catch(() => {}); // the next change brings it
  }
}

function noteStored(results, operations) {
  operations.forEach(({ op, key }, index) => {
    knownRevisions.set(key, results[index].revision);
    if (op === "delete") {
      maybeStored.delete(key);
    }
    const change = held.get(key);
    held.delete(key);
    if (change) {
      queueMicrotask(() => receive(change));
    }
  });
}

async function apply({ key: entryKey, value, revision, deleted }) {
  if (deleted) {
    maybeStored.delete(entryKey);
    const key = [...localItems.map.keys()].find((each) => entryKeyOf(each) === entryKey);
    if (key !== undefined) {
      change(key, null);
    }
    return;
  }
  const pieces = await storedPieces(entryKey, value);
  const decoded = decodeEntry(entryKey, value, (other) => pieces[other]);
  const isLatest = knownRevisions.get(entryKey) === revision && !isUnconfirmed(entryKey);
  if (decoded && isLatest) {
    notePieces(decoded[0], decoded[2]);
    change(decoded[0], decoded[1]);
  }
}

async function storedPieces(entryKey, value) {
  const pieces = {};
  const isOwn = entryKey.startsWith(OWN_PREFIX);
  if ((isOwn ? value.value : value)?.pieces) {
    const key = isOwn ? decodeText(value.key) : entryKey.slice(PREFIX.length);
    const query = new URLSearchParams({ prefix: `${OWN_PREFIX}${hash(key)}/`, limit: "1000" });
    const { data } = await (await request(`${apiAddress}/data?${query}`)).json();
    data.items.forEach((item) => (pieces[item.key] = item.value));
  }
  return pieces;
}

function change(key, newValue) {
  const oldValue = localItems.map.get(key) ?? null;
  if (oldValue !== newValue) {
    localItems.replace(key, newValue);
    const members = { key, oldValue, newValue, url: location.href, storageArea: localStore };
    window.dispatchEvent(new StorageEvent("storage", members));
  }
}

async function resync() {
  const entries = {};
  knownRevisions.clear(); // they may be those of a time that a restored backup undid
  for (let cursor = ""; cursor !== null; ) {
    const query = new URLSearchParams({ prefix: PREFIX, limit: "1000", ...(cursor && { cursor }) });
    const { data } = await (await request(`${apiAddress}/data?${query}`)).json();
    for (const { key, value, revision } of data.items) {
      entries[key] = value;
      knownRevisions.set(key, revision);
    }
    ({ cursor } = data);
  }
  const stored = new Map(decodeEntries(entries));
  const keys = new Set([...localItems.map.keys(), ...stored.keys()]);
  for (const key of keys) {
    if (!isUnconfirmed(entryKeyOf(key))) {
      change(key, stored.get(key) ?? null);
    }
  }
}

if (context) {
  localItems.onLoaded = () => feed.listen({ change: receive, resync });
}
