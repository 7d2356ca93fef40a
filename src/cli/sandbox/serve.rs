//! `cmk sandbox serve`: the sandbox on the network of this machine, until a signal.

use super::super::arguments::Format;
use super::super::context::{Context, block_on, practice};
use super::super::exit::{Exit, Trouble};
use super::super::interrupt::{self, stopped};
use super::arguments::{self, ServeArguments};
use super::{folder, state, told};
use crate::sandbox::seed::{self, Seed};
use crate::sandbox::serve::{Options, Ready, Server};
use crate::sandbox::{Domain, Millis, Pace, Sandbox, World};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Serves until Ctrl-C or SIGTERM.
pub(super) fn run(context: &mut Context, arguments: &ServeArguments) -> Result<Exit, Trouble> {
    let sandbox = open(context, arguments)?;
    let kept = sandbox.clone();
    let options = Options {
        listen: arguments.listen,
        proxy: arguments.proxy,
        folder: folder(context, &arguments.place),
        record: arguments.record.clone(),
    };
    block_on(async {
        // Before anybody can know that there is a server, so that no signal is lost.
        let stop = interrupt::listen(context.output.stderr.clone(), None);
        let server = Server::start(sandbox, &options).await.map_err(told)?;
        let text = match arguments.format {
            Format::Human => human(server.ready(), &options),
            Format::Json => json(server.ready())?,
        };
        context.output.document(&text)?;
        server.run(stopped(stop)).await;
        kept.close().map_err(told)?;
        Ok(Exit::Good)
    })?
}

/// The sandbox in the state file, with the names that are asked for. Where there is none yet, it begins with the seed.
fn open(context: &Context, arguments: &ServeArguments) -> Result<Sandbox, Trouble> {
    let file = state(context, &arguments.place);
    let domain = match arguments.domain {
        arguments::Domain::Public => Domain::Public,
        arguments::Domain::Sandbox => Domain::Sandbox,
    };
    let clock = practice::clock();
    let world = match &arguments.seed {
        Some(seed) => grown(seed, clock(), domain)?,
        None => World::of(Pace::practice(), domain),
    };
    let (sandbox, was_there) = Sandbox::open_or(&file, clock, world).map_err(told)?;
    if was_there && arguments.seed.is_some() {
        let text = format!("{} holds a sandbox already; the seed was not used\n", file.display());
        context.output.stderr.remark(&text);
    }
    sandbox.world(|world| world.set_domain(domain));
    if !was_there && arguments.seed.is_some() {
        // What was sown is there for good, even if nobody asks for anything.
        sandbox.change(|_, _| ()).map_err(told)?;
    }
    Ok(sandbox)
}

fn grown(path: &Path, now: Millis, domain: Domain) -> Result<World, Trouble> {
    let bad = |why: String| Trouble::new(format!("cannot use the seed {}: {why}", path.display()));
    let mut text = String::new();
    // A little more than is taken, so that what is too long is told as such.
    let read = File::open(path).and_then(|file| file.take(seed::BYTES_MAX + 1).read_to_string(&mut text));
    read.map_err(|error| bad(error.to_string()))?;
    Seed::parse(&text).and_then(|seed| seed.grow(now, domain)).map_err(|error| bad(error.to_string()))
}

/// One line, without the key to the server itself: what is printed may end in a log.
fn json(ready: &Ready) -> Result<String, Trouble> {
    let open = Ready { control: None, ..ready.clone() };
    let line = serde_json::to_string(&open).map_err(told)?;
    Ok(format!("{line}\n"))
}

fn human(ready: &Ready, options: &Options) -> String {
    let Ready { arm, login, proxy, listen, ca_file, .. } = ready;
    format!(
        "The sandbox is ready.\n\
         \x20 Resource Manager  {arm}\n\
         \x20 Entra ID          {login}\n\
         \x20 HTTPS             {listen}\n\
         \x20 proxy             {proxy}\n\
         \x20 CA                {}\n\
         In the shell that is to use it: eval \"$(cmk sandbox env --tls-dir {})\"\n\
         Ctrl-C ends it; its state stays.\n",
        ca_file.display(),
        super::env::quoted(&options.folder.display().to_string()),
    )
}
