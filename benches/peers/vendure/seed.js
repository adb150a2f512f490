// Makes the tables and fills them with the demo's catalogue: node seed.js CATALOGUE ON_HAND
const fs = require('fs');
const os = require('os');
const path = require('path');
const {
  bootstrap,
  LanguageCode,
  RequestContextService,
  SearchService,
} = require('@vendure/core');
const { populate } = require('@vendure/core/cli');
const { config } = require('./config');

const initialData = {
  defaultLanguage: LanguageCode.en,
  defaultZone: 'Europe',
  countries: [{ name: 'Germany', code: 'DE', zone: 'Europe' }],
  taxRates: [{ name: 'Standard Tax', percentage: 19 }],
  shippingMethods: [{ name: 'Standard Shipping', price: 500 }],
  paymentMethods: [
    {
      name: 'Dummy',
      handler: {
        code: 'dummy-payment-handler',
        arguments: [{ name: 'automaticSettle', value: 'true' }],
      },
    },
  ],
  collections: [],
};

const columns =
  'name,slug,description,assets,facets,optionGroups,optionValues,sku,price,taxCategory,' +
  'stockOnHand,trackInventory,variantAssets,variantFacets';

const quoted = (text) => `"${String(text).replaceAll('"', '""')}"`;

function row(entry, number, onHand) {
  const slug = entry.name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const facets = `category:${entry.category}`;
  return [
    entry.name, slug, entry.description, '', facets, '', '', `SKU-${number}`, entry.price,
    'standard', onHand, 'true', '', '',
  ].map(quoted).join(',');
}

async function main([catalogue, onHand]) {
  const entries = JSON.parse(fs.readFileSync(catalogue, 'utf8'));
  const rows = entries.map((entry, number) => row(entry, number, onHand));
  const csv = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'vendure-')), 'products.csv');
  fs.writeFileSync(csv, [columns, ...rows].join('\n'));
  const app = await populate(() => bootstrap(config), initialData, csv);
  // The importer's own jobs for the search index may be lost when this process ends; this one is stored.
  const context = await app.get(RequestContextService).create({ apiType: 'admin' });
  await app.get(SearchService).reindex(context);
  fs.rmSync(path.dirname(csv), { recursive: true });
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
