// A shop as Vendure's own starter sets it up, on PostgreSQL, without assets and without mails.
const {
  DefaultJobQueuePlugin,
  DefaultSearchPlugin,
  dummyPaymentHandler,
  LogLevel,
  DefaultLogger,
} = require('@vendure/core');

const seeding = process.env.VENDURE_SEED === '1';

module.exports.config = {
  apiOptions: {
    hostname: '127.0.0.1',
    port: Number(process.env.PORT),
    adminApiPath: 'admin-api',
    shopApiPath: 'shop-api',
  },
  authOptions: {
    tokenMethod: ['bearer'],
    superadminCredentials: {
      identifier: 'superadmin',
      password: process.env.SUPERADMIN_PASSWORD,
    },
  },
  dbConnectionOptions: {
    type: 'postgres',
    host: '127.0.0.1',
    port: Number(process.env.DATABASE_PORT),
    username: process.env.DATABASE_USER,
    database: 'vendure',
    synchronize: seeding,
    logging: false,
    poolSize: 20,
  },
  paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
  logger: new DefaultLogger({ level: LogLevel.Warn }),
  plugins: [DefaultJobQueuePlugin, DefaultSearchPlugin.init({ bufferUpdates: false })],
};
