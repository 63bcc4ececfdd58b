import type { ApiName, Ownership, Pool, Says } from './world.ts';

/**
 * Five APIs as tables of words; apis.ts makes routes and tasks of them.
 *
 * Resource: `verbs` are list, search, read, create, update, delete, export; `word?` is a part of one object (GET /{id}/word), `word!` something done
 * to it (POST /{id}/word). `@a,b` names the roles that may; without it the resource's `roles`, and without these every role.
 *
 * Task: weight, roles, and steps in order. A step is `resource.verb`, then nothing (once), `?` (every other time), `+` (one or more) or `*` (several).
 */
export type ResourceSpec = {
  readonly ids?: Pool['ids'];
  readonly of?: Ownership;
  /** Bytes of one object at the median, and objects in a list. */
  readonly bytes: number;
  readonly rows?: number;
  readonly sensitive?: readonly string[];
  readonly roles?: string;
  readonly verbs: string;
};

export type ApiSpec = {
  readonly name: ApiName;
  readonly host: string;
  readonly prefix: string;
  readonly tokenMinutes: number;
  readonly roles: readonly string[];
  /** Work on other people's objects. */
  readonly staff: readonly string[];
  readonly says: Says;
  readonly resources: Readonly<Record<string, ResourceSpec>>;
  readonly tasks: readonly string[];
};

const everything: Says = { route: true, geo: true, tz: true, ja4: true, token: true };
const numeric = 'numeric' as const;
const uuid = 'uuid' as const;
const slug = 'slug' as const;

const shop: ApiSpec = {
  name: 'shop',
  host: 'api.shop.example',
  prefix: '/v1',
  tokenMinutes: 60,
  roles: ['customer', 'support', 'merchandiser', 'admin'],
  staff: ['support', 'admin'],
  says: everything,
  resources: {
    products: {
      ids: slug,
      of: 'shared',
      bytes: 2400,
      rows: 24,
      verbs: 'read list search reviews? stock? related? create@merchandiser update@merchandiser delete@merchandiser',
    },
    categories: { ids: slug, of: 'shared', bytes: 700, rows: 18, verbs: 'list read products?' },
    cart: { ids: numeric, of: 'identity', bytes: 600, rows: 3, verbs: 'list create update delete' },
    orders: {
      ids: numeric,
      of: 'identity',
      bytes: 1500,
      rows: 8,
      sensitive: ['address'],
      verbs: 'list read items? tracking? cancel! return! refund!@support,admin update@support,admin export@admin',
    },
    checkout: { ids: uuid, of: 'identity', bytes: 900, verbs: 'create read shipping! payment! confirm!' },
    profile: { bytes: 800, sensitive: ['email'], verbs: 'list update' },
    wishlist: { ids: numeric, of: 'identity', bytes: 500, rows: 6, verbs: 'list create delete' },
    notifications: { ids: numeric, of: 'identity', bytes: 300, rows: 10, verbs: 'list read' },
    addresses: {
      ids: numeric,
      of: 'identity',
      bytes: 400,
      rows: 2,
      sensitive: ['address'],
      verbs: 'list create update delete',
    },
    cards: { ids: uuid, of: 'identity', bytes: 350, rows: 2, sensitive: ['card'], verbs: 'list create delete' },
    invoices: { ids: numeric, of: 'identity', bytes: 1200, rows: 8, sensitive: ['address'], verbs: 'list read pdf?' },
    coupons: {
      ids: slug,
      of: 'shared',
      bytes: 300,
      rows: 20,
      verbs: 'read apply! list@merchandiser create@merchandiser delete@merchandiser',
    },
    'gift-cards': { ids: uuid, of: 'identity', bytes: 300, rows: 2, verbs: 'list read redeem!' },
    reviews: { ids: numeric, of: 'shared', bytes: 700, rows: 12, verbs: 'create update report! delete@support,admin' },
    tickets: {
      ids: numeric,
      of: 'identity',
      bytes: 1400,
      rows: 15,
      verbs: 'list read create reply! assign!@support close!@support',
    },
    customers: {
      ids: numeric,
      of: 'shared',
      bytes: 1600,
      rows: 20,
      sensitive: ['email', 'address'],
      roles: 'support,admin',
      verbs: 'search read orders? notes? update reset! delete@admin export@admin',
    },
    inventory: {
      ids: numeric,
      of: 'shared',
      bytes: 500,
      rows: 50,
      roles: 'merchandiser,admin',
      verbs: 'list read update',
    },
    prices: { ids: numeric, of: 'shared', bytes: 300, rows: 100, roles: 'merchandiser,admin', verbs: 'list update' },
    reports: { ids: uuid, of: 'shared', bytes: 9000, rows: 12, roles: 'admin', verbs: 'list read export' },
    users: {
      ids: numeric,
      of: 'tenant',
      bytes: 700,
      rows: 25,
      roles: 'admin',
      verbs: 'list read create update delete roles!',
    },
  },
  tasks: [
    'browse 6 customer: categories.list? products.list products.read* products.reviews? products.related?',
    'find 4 customer: products.search+ products.read+ products.stock? wishlist.create?',
    'buy 1.5 customer: products.read+ cart.create cart.list checkout.create checkout.shipping checkout.payment checkout.confirm orders.read',
    'track 2 customer: orders.list orders.read orders.tracking?',
    'account 0.7 customer: profile.list profile.update? addresses.list addresses.update? cards.list',
    'wishlist 1 customer: wishlist.list products.read? wishlist.delete?',
    'return 0.2 customer: orders.list orders.read orders.return tickets.create?',
    'invoice 0.4 customer: invoices.list invoices.read invoices.pdf?',
    'gift 0.2 customer: coupons.read coupons.apply? gift-cards.list gift-cards.redeem?',
    'inbox 0.8 customer: notifications.list notifications.read+',
    'ticket 6 support: tickets.list tickets.assign? tickets.read customers.search? customers.read orders.read+ orders.refund? tickets.reply tickets.close?',
    'help 2 support: customers.search customers.read customers.orders? customers.notes? customers.reset?',
    'moderate 0.5 support: products.reviews reviews.delete?',
    'assort 4 merchandiser: products.list products.read products.update+ inventory.list inventory.update?',
    'pricing 2 merchandiser: prices.list prices.update* coupons.list? coupons.create?',
    'oversee 2 admin: reports.list reports.read users.list? users.read? orders.export?',
    'people 1 admin: users.list users.read users.update? users.roles? users.create?',
  ],
};

const bank: ApiSpec = {
  name: 'bank',
  host: 'api.bank.example',
  prefix: '/api',
  tokenMinutes: 15,
  roles: ['customer', 'advisor', 'auditor', 'admin'],
  staff: ['advisor', 'auditor', 'admin'],
  says: { ...everything, tz: false },
  resources: {
    accounts: {
      ids: uuid,
      of: 'identity',
      bytes: 900,
      rows: 3,
      sensitive: ['iban'],
      verbs: 'list read balance? transactions? freeze!@advisor close!@admin',
    },
    transactions: { ids: numeric, of: 'identity', bytes: 450, rows: 30, verbs: 'search read dispute!' },
    payments: {
      ids: uuid,
      of: 'identity',
      bytes: 700,
      rows: 10,
      sensitive: ['iban'],
      verbs: 'list read create confirm! cancel!',
    },
    cards: {
      ids: uuid,
      of: 'identity',
      bytes: 500,
      rows: 2,
      sensitive: ['card'],
      verbs: 'list read limits? block! update',
    },
    beneficiaries: { ids: uuid, of: 'identity', bytes: 400, rows: 6, sensitive: ['iban'], verbs: 'list create delete' },
    'standing-orders': { ids: uuid, of: 'identity', bytes: 500, rows: 4, verbs: 'list create update delete' },
    statements: { ids: numeric, of: 'identity', bytes: 30000, rows: 12, sensitive: ['iban'], verbs: 'list read pdf?' },
    messages: { ids: numeric, of: 'identity', bytes: 900, rows: 8, verbs: 'list read create' },
    documents: { ids: numeric, of: 'identity', bytes: 60000, rows: 6, verbs: 'list read' },
    loans: { ids: numeric, of: 'identity', bytes: 1100, rows: 1, verbs: 'list read schedule?' },
    profile: { bytes: 900, sensitive: ['email'], verbs: 'list update' },
    limits: { bytes: 300, verbs: 'list update@advisor' },
    rates: { bytes: 1500, rows: 10, verbs: 'list' },
    clients: {
      ids: numeric,
      of: 'shared',
      bytes: 1800,
      rows: 15,
      sensitive: ['email', 'iban'],
      roles: 'advisor,auditor,admin',
      verbs: 'search read accounts? notes? update@advisor export@admin',
    },
    sanctions: { bytes: 600, rows: 3, roles: 'advisor', verbs: 'search' },
    audit: {
      ids: numeric,
      of: 'shared',
      bytes: 700,
      rows: 100,
      roles: 'auditor,admin',
      verbs: 'list search read export',
    },
    users: {
      ids: numeric,
      of: 'tenant',
      bytes: 700,
      rows: 25,
      roles: 'admin',
      verbs: 'list read create update delete roles!',
    },
  },
  tasks: [
    'balance 8 customer: accounts.list accounts.balance accounts.transactions?',
    'history 3 customer: accounts.list accounts.transactions transactions.search? transactions.read+',
    'pay 2 customer: accounts.list beneficiaries.list beneficiaries.create? payments.create payments.confirm payments.read?',
    'cards 0.7 customer: cards.list cards.read cards.limits? cards.update?',
    'papers 0.6 customer: statements.list statements.read statements.pdf? documents.list?',
    'inbox 0.8 customer: messages.list messages.read+ messages.create?',
    'standing 0.3 customer: standing-orders.list standing-orders.update?',
    'loan 0.3 customer: loans.list loans.read loans.schedule? rates.list?',
    'settings 0.2 customer: profile.list profile.update? limits.list?',
    'advise 5 advisor: clients.search clients.read clients.accounts accounts.read? accounts.transactions? clients.notes? messages.create?',
    'onboard 1 advisor: sanctions.search clients.search clients.update documents.read?',
    'examine 3 auditor: audit.search audit.read* clients.read? clients.accounts? audit.export?',
    'administer 2 admin: users.list users.read users.update? users.roles? audit.list?',
  ],
};

const saas: ApiSpec = {
  name: 'saas',
  host: 'app.saas.example',
  prefix: '/api/v2',
  tokenMinutes: 30,
  roles: ['member', 'manager', 'auditor', 'admin', 'integration'],
  staff: [],
  says: everything,
  resources: {
    tasks: {
      ids: numeric,
      of: 'tenant',
      bytes: 1100,
      rows: 30,
      verbs: 'list read search create update comments? assign! delete',
    },
    projects: {
      ids: numeric,
      of: 'tenant',
      bytes: 1500,
      rows: 12,
      verbs: 'list read members? create@manager,admin update@manager,admin delete@manager,admin',
    },
    comments: { ids: numeric, of: 'tenant', bytes: 500, rows: 10, verbs: 'create update delete' },
    files: { ids: uuid, of: 'tenant', bytes: 40000, rows: 20, verbs: 'list read create download? share! delete' },
    dashboards: { ids: uuid, of: 'tenant', bytes: 5000, rows: 6, verbs: 'list read create update' },
    me: { bytes: 600, sensitive: ['email'], verbs: 'list update' },
    notifications: { ids: numeric, of: 'identity', bytes: 350, rows: 15, verbs: 'list read' },
    reports: { ids: uuid, of: 'tenant', bytes: 15000, rows: 8, verbs: 'list read run! export@manager,admin' },
    integrations: {
      ids: slug,
      of: 'shared',
      bytes: 900,
      rows: 20,
      verbs: 'list read connect!@admin disconnect!@admin',
    },
    imports: {
      ids: uuid,
      of: 'tenant',
      bytes: 700,
      rows: 5,
      roles: 'manager,admin,integration',
      verbs: 'create read list',
    },
    records: {
      ids: numeric,
      of: 'tenant',
      bytes: 1300,
      rows: 50,
      sensitive: ['email'],
      verbs: 'list read create update delete@manager,admin,integration',
    },
    users: {
      ids: numeric,
      of: 'tenant',
      bytes: 700,
      rows: 25,
      sensitive: ['email'],
      verbs: 'list read@manager,admin create@admin update@admin delete@admin roles!@admin suspend!@admin',
    },
    groups: {
      ids: numeric,
      of: 'tenant',
      bytes: 500,
      rows: 10,
      roles: 'admin',
      verbs: 'list read create update delete',
    },
    'api-keys': { ids: uuid, of: 'tenant', bytes: 400, rows: 5, roles: 'admin', verbs: 'list create rotate! delete' },
    webhooks: {
      ids: uuid,
      of: 'tenant',
      bytes: 450,
      rows: 4,
      roles: 'admin',
      verbs: 'list create update test! delete',
    },
    'audit-log': {
      ids: numeric,
      of: 'tenant',
      bytes: 600,
      rows: 100,
      roles: 'admin,auditor',
      verbs: 'list search read export',
    },
    billing: { ids: numeric, of: 'tenant', bytes: 1100, rows: 12, roles: 'admin', verbs: 'list read pdf? update' },
    settings: { bytes: 1500, roles: 'admin', verbs: 'list update' },
    sso: { bytes: 900, roles: 'admin', verbs: 'list update' },
    exports: {
      ids: uuid,
      of: 'tenant',
      bytes: 250000,
      rows: 3,
      roles: 'admin,auditor',
      verbs: 'create read download?',
    },
  },
  tasks: [
    'work 8 member,manager: tasks.list tasks.read* tasks.update+ comments.create?',
    'plan 2 manager,member: projects.list projects.read tasks.list tasks.create+ tasks.assign?',
    'files 2 member,manager: files.list files.read+ files.download? files.create?',
    'look 2 member,manager,admin: dashboards.list dashboards.read+ reports.read?',
    'catch-up 3 member,manager,admin,auditor: me.list notifications.list notifications.read*',
    'records 2 member,manager: records.list records.read+ records.update?',
    'search 1 member,manager: tasks.search+ tasks.read tasks.comments?',
    'staff 1 manager: users.list users.read projects.members reports.run reports.export?',
    'clean-up 0.3 manager: tasks.list tasks.delete+ files.delete?',
    'people 3 admin: users.list users.read users.update? users.create? users.roles?',
    'setup 2 admin: settings.list settings.update? integrations.list integrations.connect? webhooks.list webhooks.update?',
    'keys 0.5 admin: api-keys.list api-keys.rotate? api-keys.create?',
    'money 0.5 admin: billing.list billing.read billing.pdf?',
    'audit 4 auditor: audit-log.search audit-log.read* exports.create? exports.download?',
    'watch 1 admin: audit-log.list audit-log.read+',
    'sync 4 integration: records.list records.read* records.update+',
    'feed 2 integration: records.create* imports.create? imports.read?',
    'mirror 2 integration: tasks.list tasks.read* files.list? files.download?',
  ],
};

const partner: ApiSpec = {
  name: 'partner',
  host: 'b2b.partner.example',
  prefix: '/b2b/v3',
  tokenMinutes: 120,
  roles: ['partner', 'reseller', 'logistics', 'operator'],
  staff: ['operator'],
  // An old gateway: paths but no templates, addresses but no lookup. So no slugs, which nobody could template.
  says: { route: false, geo: false, tz: false, ja4: false, token: true },
  resources: {
    orders: {
      ids: numeric,
      of: 'tenant',
      bytes: 1600,
      rows: 20,
      sensitive: ['address'],
      verbs: 'list read create confirm! cancel!',
    },
    catalogue: { ids: uuid, of: 'shared', bytes: 1800, rows: 50, verbs: 'list read' },
    stock: { bytes: 120, rows: 200, verbs: 'list search' },
    prices: { bytes: 90, rows: 200, verbs: 'list' },
    shipments: {
      ids: numeric,
      of: 'tenant',
      bytes: 800,
      rows: 20,
      sensitive: ['address'],
      verbs: 'list read tracking? update@logistics,operator',
    },
    invoices: { ids: numeric, of: 'tenant', bytes: 1300, rows: 15, verbs: 'list read pdf?' },
    returns: { ids: numeric, of: 'tenant', bytes: 700, rows: 10, verbs: 'list create read' },
    feeds: { ids: uuid, of: 'tenant', bytes: 30000, rows: 4, verbs: 'list read create' },
    consents: {
      ids: uuid,
      of: 'tenant',
      bytes: 400,
      rows: 20,
      roles: 'partner,reseller,operator',
      verbs: 'list create read delete',
    },
    customers: {
      ids: numeric,
      of: 'tenant',
      bytes: 1200,
      rows: 25,
      sensitive: ['email', 'address'],
      roles: 'partner,reseller,operator',
      verbs: 'list read orders? update@operator',
    },
    webhooks: { ids: uuid, of: 'tenant', bytes: 350, rows: 3, verbs: 'list create delete' },
    partners: {
      ids: numeric,
      of: 'shared',
      bytes: 1500,
      rows: 12,
      roles: 'operator',
      verbs: 'list read update suspend!',
    },
  },
  tasks: [
    'ordering 4 partner,reseller: stock.search prices.list? orders.create orders.confirm? orders.read+',
    'status 5 partner,reseller: orders.list orders.read*',
    'assortment 2 partner,reseller: catalogue.list+ catalogue.read* stock.list? prices.list?',
    'dispatch 6 logistics: shipments.list shipments.read* shipments.update+ shipments.tracking?',
    'books 1 partner,reseller,logistics: invoices.list invoices.read+ invoices.pdf?',
    'goods-back 0.6 partner,reseller: returns.list returns.create? returns.read+',
    'feed 1 partner,reseller: feeds.list feeds.read feeds.create?',
    'clients 1 partner: consents.list customers.list customers.read+ customers.orders?',
    'account 3 operator: partners.list partners.read partners.update? orders.list orders.read+ consents.list?',
  ],
};

const meshRoles = [
  'web',
  'checkout',
  'catalogue',
  'search',
  'orders',
  'payments',
  'users',
  'shipping',
  'notify',
  'fraud',
  'reports',
  'batch',
] as const;

const mesh: ApiSpec = {
  name: 'mesh',
  host: 'svc.internal',
  prefix: '/rpc',
  tokenMinutes: 60,
  roles: meshRoles,
  staff: [],
  // Sidecars know certificates and services; addresses are private and belong to no country.
  says: { route: true, geo: false, tz: false, ja4: false, token: false },
  resources: {
    catalogue: { ids: numeric, of: 'shared', bytes: 1800, rows: 20, verbs: 'read list update' },
    search: { bytes: 6000, rows: 20, verbs: 'search update' },
    pricing: { ids: numeric, of: 'shared', bytes: 300, rows: 20, verbs: 'read list' },
    inventory: { ids: numeric, of: 'shared', bytes: 250, rows: 20, verbs: 'read reserve! release! update' },
    orders: {
      ids: numeric,
      of: 'shared',
      bytes: 1500,
      rows: 20,
      sensitive: ['address'],
      verbs: 'read list create update export',
    },
    payments: {
      ids: uuid,
      of: 'shared',
      bytes: 700,
      rows: 10,
      sensitive: ['card'],
      verbs: 'create read capture! refund!',
    },
    ledger: { ids: uuid, of: 'shared', bytes: 500, rows: 50, sensitive: ['iban'], verbs: 'create list export' },
    users: {
      ids: numeric,
      of: 'shared',
      bytes: 900,
      rows: 10,
      sensitive: ['email', 'address'],
      verbs: 'read search update export',
    },
    sessions: { ids: uuid, of: 'shared', bytes: 300, verbs: 'read create delete' },
    shipping: { ids: numeric, of: 'shared', bytes: 800, rows: 10, sensitive: ['address'], verbs: 'create read quote!' },
    notify: { ids: uuid, of: 'shared', bytes: 200, verbs: 'create read' },
    fraud: { ids: uuid, of: 'shared', bytes: 400, verbs: 'create read' },
    config: { bytes: 2500, verbs: 'list update' },
    secrets: { ids: numeric, of: 'shared', bytes: 200, sensitive: ['secret'], verbs: 'read list' },
    metrics: { bytes: 9000, verbs: 'list' },
  },
  tasks: [
    'page 6 web: sessions.read catalogue.list pricing.list search.search?',
    'product 6 web: catalogue.read pricing.read inventory.read',
    'account 2 web: sessions.read users.read orders.list?',
    'checkout 6 checkout: sessions.read pricing.read inventory.reserve fraud.create payments.create orders.create notify.create',
    'abort 0.5 checkout: inventory.release payments.refund?',
    'publish 3 catalogue: pricing.list inventory.read+ search.update',
    'index 3 search: catalogue.list catalogue.read*',
    'fulfil 4 orders: orders.read shipping.create inventory.update? notify.create',
    'settle 4 payments: payments.read payments.capture ledger.create',
    'directory 3 users: users.read sessions.create? sessions.delete? notify.create?',
    'parcel 4 shipping: shipping.read orders.update notify.create?',
    'send 4 notify: users.read notify.read',
    'judge 4 fraud: users.read orders.list? payments.read fraud.read?',
    'report 2 reports: orders.list+ ledger.list catalogue.list',
    'nightly 2 batch: orders.list orders.read* ledger.list+ orders.export?',
    'start 0.3 web,checkout,catalogue,search,orders,payments,users,shipping,notify,fraud,reports,batch: config.list secrets.read?',
  ],
};

export const apiSpecs: readonly ApiSpec[] = [shop, bank, saas, partner, mesh];
