// sessionStorage: in memory, and handed on to the next page in this frame.

const sessionItems = new Items({ load: () => carried.session ?? [] });
install("sessionStorage", sessionItems);
carriers.session = () => (isSmall(sessionItems) ? [...sessionItems.map] : []);
