// The Storage interface of the HTML standard (a "legacy platform object": items are properties too), over a plain Map.

const QUOTA_UNITS = 5 * 1024 * 1024; // UTF-16 code units of keys and values, as browsers allow

class Items {
  constructor({ load = () => [], changed = () => {}, check = () => true } = {}) {
    Object.assign(this, { load, changed, check });
    this.loaded = null;
    this.units = 0;
    this.keyList = null;
  }

  get map() {
    if (!this.loaded) {
      this.loaded = new Map(this.load());
      for (const [key, value] of this.loaded) {
        this.units += key.length + value.length;
      }
      this.onLoaded?.();
    }
    return this.loaded;
  }

  // In the order of key(), kept as long as no key comes or goes: pages go through all of them by index.
  get keys() {
    return (this.keyList ??= [...this.map.keys()]);
  }

  set(key, value) {
    const old = this.map.get(key);
    if (old === value) {
      return;
    }
    const units = this.units + value.length + (old === undefined ? key.length : -old.length);
    if (units > QUOTA_UNITS || !this.check(key, value)) {
      throw quotaExceeded(key);
    }
    this.replace(key, value);
    this.changed(key, value);
  }

  remove(key) {
    if (this.map.has(key)) {
      this.replace(key, null);
      this.changed(key, null);
    }
  }

  clear() {
    this.keys.forEach((key) => this.remove(key));
  }

  // Set or, with null, remove without telling anybody.
  replace(key, value) {
    const old = this.map.get(key);
    this.units -= old === undefined ? 0 : key.length + old.length;
    if (old === undefined || value === null) {
      this.keyList = null;
    }
    if (value === null) {
      this.map.delete(key);
    } else {
      this.map.set(key, value);
      this.units += key.length + value.length;
    }
  }
}

function quotaExceeded(key) {
  const message = `Failed to execute 'setItem' on 'Storage': Setting the value of '${key}' exceeded the quota.`;
  return typeof QuotaExceededError === "function"
    ? new QuotaExceededError(message)
    : new DOMException(message, "QuotaExceededError");
}

const itemsOf = new WeakMap(); // by the object that stands for localStorage or sessionStorage

function itemsBehind(object, method, given, needed) {
  const items = itemsOf.get(object);
  if (!items) {
    throw new TypeError("Illegal invocation");
  }
  if (given < needed) {
    const required = `${needed} argument${needed > 1 ? "s" : ""} required, but only ${given} present.`;
    throw new TypeError(`Failed to execute '${method}' on 'Storage': ${required}`);
  }
  return items;
}

// On the prototype, where libraries look for them (and wrap them). The native ones work on no object in this page.
const methods = {
  getItem(key) {
    return itemsBehind(this, "getItem", arguments.length, 1).map.get(`${key}`) ?? null;
  },
  setItem(key, value) {
    itemsBehind(this, "setItem", arguments.length, 2).set(`${key}`, `${value}`);
  },
  removeItem(key) {
    itemsBehind(this, "removeItem", arguments.length, 1).remove(`${key}`);
  },
  clear() {
    itemsBehind(this, "clear", 0, 0).clear();
  },
  key(index) {
    return itemsBehind(this, "key", arguments.length, 1).keys[index >>> 0] ?? null;
  },
};
for (const [name, value] of Object.entries(methods)) {
  Object.defineProperty(Storage.prototype, name, { value, writable: true, enumerable: true, configurable: true });
}
Object.defineProperty(Storage.prototype, "length", {
  get() {
    return itemsBehind(this, "length", 0, 0).map.size;
  },
  enumerable: true,
  configurable: true,
});

const isItemName = (property) => typeof property === "string" && !(property in Storage.prototype);

const handler = {
  get(target, property, receiver) {
    const value = isItemName(property) ? itemsOf.get(target).map.get(property) : undefined;
    return value ?? Reflect.get(target, property, receiver);
  },
  has: (target, property) => (isItemName(property) && itemsOf.get(target).map.has(property)) || Reflect.has(target, property),
  set(target, property, value, receiver) {
    if (itemsOf.get(receiver) !== itemsOf.get(target)) {
      return Reflect.set(target, property, value, receiver); // an object that inherits from this one gets its own
    }
    if (!isItemName(property)) {
      return Reflect.set(target, property, value, target);
    }
    itemsOf.get(target).set(property, `${value}`);
    return true;
  },
  deleteProperty(target, property) {
    if (isItemName(property) && itemsOf.get(target).map.has(property)) {
      itemsOf.get(target).remove(property);
      return true;
    }
    return Reflect.deleteProperty(target, property);
  },
  ownKeys: (target) => [...itemsOf.get(target).keys.filter(isItemName), ...Reflect.ownKeys(target)],
  getOwnPropertyDescriptor(target, property) {
    const value = isItemName(property) ? itemsOf.get(target).map.get(property) : undefined;
    return value === undefined
      ? Reflect.getOwnPropertyDescriptor(target, property)
      : { value, writable: true, enumerable: true, configurable: true };
  },
  defineProperty(target, property, descriptor) {
    if (!isItemName(property)) {
      return Reflect.defineProperty(target, property, descriptor);
    }
    if ("get" in descriptor || "set" in descriptor) {
      return false;
    }
    itemsOf.get(target).set(property, `${descriptor.value}`);
    return true;
  },
  preventExtensions: () => false,
};

// Put an object that behaves like a browser's where the browser's own would throw.
function install(property, items) {
  const target = Object.create(Storage.prototype);
  const storage = new Proxy(target, handler);
  itemsOf.set(target, items);
  itemsOf.set(storage, items);
  Object.defineProperty(window, property, { get: () => storage, enumerable: true, configurable: true });
  return storage;
}
