// A StorageEvent that an app makes itself may name the stand-in as its storageArea: the browser's own takes only a
// native Storage there, and would throw. (State libraries tell their own page of a change in this way.)

const areaOf = new WeakMap(); // event → the object that stands for localStorage or sessionStorage
const { prototype: storageEvents } = StorageEvent;
const nativeArea = Object.getOwnPropertyDescriptor(storageEvents, "storageArea");
const nativeInit = storageEvents.initStorageEvent;
const AREA_ARGUMENT = 7; // of initStorageEvent()

Object.defineProperty(storageEvents, "storageArea", {
  ...nativeArea,
  get() {
    return areaOf.get(this) ?? nativeArea.get.call(this);
  },
});

storageEvents.initStorageEvent = {
  initStorageEvent(type, ...rest) {
    const given = arguments.length ? [type, ...rest] : [];
    const area = given[AREA_ARGUMENT];
    const isOurs = itemsOf.has(area);
    nativeInit.apply(this, isOurs ? given.with(AREA_ARGUMENT, null) : given);
    isOurs ? areaOf.set(this, area) : areaOf.delete(this);
  },
}.initStorageEvent;

window.StorageEvent = new Proxy(StorageEvent, {
  construct(target, given, newTarget) {
    const [type, members] = given;
    const area = members?.storageArea;
    if (!itemsOf.has(area)) {
      return Reflect.construct(target, given, newTarget);
    }
    const event = Reflect.construct(target, [type, Object.create(members, { storageArea: { value: null } })], newTarget);
    areaOf.set(event, area);
    return event;
  },
});
Object.defineProperty(storageEvents, "constructor", { value: window.StorageEvent, writable: true, configurable: true });
