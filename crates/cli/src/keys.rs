//! `oxcart keys`: exchanging the keys that tokens are signed with.

use oxcart_core::aws::settings::Setting;
use oxcart_core::customers::rotation::{self, RotationStep};

use crate::{Error, admin, environment};

/// The characters of a new key, each one of 62.
const KEY_CHARACTERS: usize = 64;

/// `oxcart keys ...`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    step: Step,
    /// The keys of the links in messages, instead of those of access tokens.
    #[arg(long)]
    links: bool,
    /// The secret of a deployed shop (the stack's output `TokenSecretArn` or `LinkSecretArn`), with
    /// credentials in the environment. Without it: the shop running here.
    #[arg(long, value_name = "ARN")]
    secret: Option<String>,
    /// The control port of the shop running here.
    #[arg(long, default_value_t = 3001)]
    control_port: u16,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Step {
    /// Makes the next key known; wait ten minutes, until everybody who verifies has fetched it.
    Prepare,
    /// Lets the next key sign; the one before stays good for what it has signed.
    Promote,
    /// Forgets the previous key; its tokens are refused within five minutes.
    Retire,
}

/// Takes the step and prints the names of the keys that there are then.
///
/// # Errors
/// If the secret cannot be reached, or it is not this step's turn.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Error> {
    let setting = if arguments.links {
        Setting::LinkSecretArn
    } else {
        Setting::TokenSecretArn
    };
    let aws = if let Some(secret) = arguments.secret {
        admin::deployed([(setting.name().to_owned(), secret)].into())?
    } else {
        let function = if arguments.links {
            "send-messages"
        } else {
            "login"
        };
        let control = environment::control_url(arguments.control_port);
        admin::local(&environment::of_function(function, &control).await?)?
    };
    let step = match arguments.step {
        Step::Prepare => RotationStep::Prepare(fresh_key()),
        Step::Promote => RotationStep::Promote,
        Step::Retire => RotationStep::Retire,
    };
    let keys = rotation::rotate(&aws, setting, step).await?;
    println!("keys, the one that signs first: {}", keys.join(", "));
    Ok(())
}

fn fresh_key() -> String {
    use rand::Rng as _;
    rand::rng()
        .sample_iter(rand::distr::Alphanumeric)
        .take(KEY_CHARACTERS)
        .map(char::from)
        .collect()
}
