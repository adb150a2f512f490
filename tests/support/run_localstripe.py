# Runs localstripe on a free port of loopback, and prints the port; prints "none" if there is no localstripe, neither for this
# interpreter nor by OXCART_LOCALSTRIPE or the path. Its own program listens on all addresses of the machine, and keeps what it
# knows in a file that all of them share. It ends with its standard input, which ends with the test.
#
# It can do what localstripe cannot, as Stripe documents it or as tests need it:
# - An API key `sk_...@us` is one of the account `us`, which has its own objects and endpoints. What has no `@` shares one.
# - POST /_config/disputes (payment_intent, amount, reason) opens a dispute of a charge, as the test card 4000000000000259 does
#   at Stripe. It is decided as there: POST /v1/disputes/{id} with evidence[uncategorized_text] `winning_evidence` or
#   `losing_evidence` (https://docs.stripe.com/testing#evidence). Disputes move no balance.
# - POST /_config/faults (call, times, status): the next calls such as `POST /v1/payment_intents/*/confirm` of the account are
#   answered with the status and not done, or without a status are done and their answer is lost.
import collections, contextvars, fnmatch, os, shutil, socket, sys, threading

named = os.environ.get('OXCART_LOCALSTRIPE')
try:
    if named and len(sys.argv) == 1:
        raise ImportError
    from localstripe import resources, server, webhooks
except ImportError:
    program = named or shutil.which('localstripe')
    if not program:
        sys.exit(print('none'))
    if len(sys.argv) > 1:
        raise
    with open(program) as script:  # Its first line names the interpreter that has the package.
        interpreter = script.readline().removeprefix('#!').strip()
    os.execv(interpreter, [interpreter, __file__, 'found'])
from aiohttp import web

account = contextvars.ContextVar('account', default='')


class OfAccount(collections.UserDict):
    def __init__(self):
        self.accounts = collections.defaultdict(dict)

    data = property(lambda self: self.accounts[account.get()])

    def dump_to_disk(self):
        pass


resources.store = server.store = OfAccount()
webhooks._webhooks = OfAccount()
faults = OfAccount()


@web.middleware
async def treat(request, handler):
    account.set((server.get_api_key(request) or '').partition('@')[2])
    for pattern, fault in faults.items():
        if fault['times'] > 0 and fnmatch.fnmatchcase(f'{request.method} {request.path}', pattern):
            fault['times'] -= 1
            if fault['status']:
                return web.Response(status=fault['status'])
            answer = await handler(request)
            request.transport.abort()
            return answer
    return await handler(request)


async def config_fault(request):
    form = await request.post()
    faults[form['call']] = {'times': int(form['times']), 'status': int(form.get('status', 0))}
    return web.Response()


class Dispute(resources.StripeObject):
    object = 'dispute'
    _id_prefix = 'du_'

    def __init__(self, payment_intent, amount=None, reason='fraudulent'):
        intent = resources.PaymentIntent._api_retrieve(payment_intent)
        super().__init__()
        self.amount = int(amount or intent.amount)
        self.balance_transactions = []
        self.charge = intent.latest_charge.id
        self.currency = intent.currency
        self.evidence = {}
        self.is_charge_refundable = False
        self.metadata = {}
        self.payment_intent = intent.id
        self.reason = reason
        self.status = 'needs_response'
        self._tell('created', 'funds_withdrawn')

    def _tell(self, *events):
        for event in events:
            webhooks.schedule_webhook(resources.Event('charge.dispute.' + event, self))

    def _update(self, evidence):
        self.evidence.update(evidence)
        self.status = {'winning_evidence': 'won', 'losing_evidence': 'lost'}[evidence['uncategorized_text']]
        self._tell(*(['closed', 'funds_reinstated'] if self.status == 'won' else ['closed']))


server.app.middlewares.insert(0, treat)
server.app.router.add_post('/_config/faults', config_fault)
server.app.router.add_post('/_config/disputes', server.api_create(Dispute, ''))
server.app.router.add_get('/v1/disputes/{id}', server.api_retrieve(Dispute, ''))
server.app.router.add_post('/v1/disputes/{id}', server.api_update(Dispute, ''))
listener = socket.create_server(('127.0.0.1', 0), backlog=64)
print(listener.getsockname()[1], flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
web.run_app(server.app, sock=listener, print=None)
