//! Names of addresses, from a file of lines as in hosts(5): what stands for a host where it is shown,
//! and which address a name means where it is asked about.
//!
//! Not here: how the lines are read (`hosts::file`), and the file itself (`pipeline`). This is the one
//! place that names hosts. Invariant: naming changes texts of results and nothing else; and two hosts
//! that are shown together never have the same text, unless a log has one that ends in an address in
//! brackets.

mod file;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::endpoint::{Endpoint, HostAddress, MeantHost};
use super::service::parts;
use crate::error::{Error, Result};
use crate::model::escape::printable;
use crate::model::{Cell, Report};
use crate::options::nearest;
use file::HostLine;

pub use file::LARGEST;

/// Addresses that an error lists, at most.
const SHOWN: usize = 8;

/// The names that a file gives to addresses.
#[derive(Debug, Default)]
pub struct HostNames {
    /// What each is called: the first name of its first line.
    names: HashMap<HostAddress, ListedName>,
    /// Whose name or alias each is, without capitals: resolvers make no difference.
    addresses: HashMap<Box<str>, Vec<HostAddress>>,
}

#[derive(Debug)]
struct ListedName {
    name: Box<str>,
    /// Whether it is a name of another address, too.
    is_shared: bool,
}

impl HostNames {
    /// Of the bytes of a file, which messages call `file`. Errors with the first line that is none.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self> {
        let mut all = HostNames::default();
        for line in file::lines(bytes) {
            let HostLine { address, names } = line.map_err(|wrong| Error::usage(format!("{file}:{wrong}")))?;
            for name in &names {
                let of_name =
                    all.addresses.entry(name.to_ascii_lowercase().into()).or_insert_with(|| Vec::with_capacity(1));
                if of_name.last() != Some(&address) {
                    of_name.push(address.clone());
                }
            }
            if let Some(first) = names.first() {
                let listed = || ListedName { name: (*first).into(), is_shared: false };
                all.names.entry(address).or_insert_with(listed);
            }
        }
        let HostNames { names, addresses } = &mut all;
        for of_name in addresses.values_mut().filter(|of_name| of_name.len() > 1) {
            let mut known = HashSet::new();
            of_name.retain(|address| known.insert(address.clone()));
        }
        for listed in names.values_mut() {
            let of_name = addresses.get(&*listed.name.to_ascii_lowercase());
            listed.is_shared = of_name.is_some_and(|addresses| addresses.len() > 1);
        }
        Ok(all)
    }

    /// What stands for a host, if it has a name: that in place of its address, and its address in
    /// brackets where another has the name, too.
    pub fn shown(&self, host: &[u8]) -> Option<Vec<u8>> {
        self.text(host, false)
    }

    fn text(&self, host: &[u8], as_written: bool) -> Option<Vec<u8>> {
        let Endpoint { address, bare, written, service } = Endpoint::of(host)?;
        let ListedName { name, is_shared } = self.names.get(&address)?;
        let mut text = name.as_bytes().to_vec();
        let beside = if as_written { Some(written) } else { is_shared.then_some(bare) };
        beside.into_iter().for_each(|address| text.extend([b" (", address, b")"].concat()));
        service.into_iter().for_each(|service| text.extend([b":", service].concat()));
        Some(text)
    }

    /// Names the hosts in the rows of a report.
    pub fn name(&self, report: &mut Report) {
        let cells = report.rows.iter_mut().flatten();
        self.name_all(cells.filter_map(|cell| if let Cell::Host(host) = cell { Some(host) } else { None }).collect());
    }

    /// Names hosts that are shown together. Where one would have the text of another, such as that of
    /// the same address in other letters, its address is beside its name as the log writes it.
    pub fn name_all(&self, hosts: Vec<&mut Vec<u8>>) {
        // By text the one host that it stands for; none where it would stand for several.
        let mut meant: HashMap<Vec<u8>, Option<Vec<u8>>> = HashMap::new();
        for host in &hosts {
            let Some(text) = self.shown(host) else { continue };
            match meant.entry(text) {
                Entry::Vacant(free) => drop(free.insert(Some(host.to_vec()))),
                Entry::Occupied(mut known) if known.get().as_ref().is_some_and(|known| known != *host) => {
                    known.insert(None);
                }
                Entry::Occupied(_) => {}
            }
        }
        if meant.is_empty() {
            return;
        }
        for host in hosts.iter().filter(|host| self.shown(host).is_none()) {
            meant.entry(host.to_vec()).and_modify(|known| *known = None);
        }
        for host in hosts {
            let Some(text) = self.shown(host) else { continue };
            let is_alone = meant.get(&text).is_some_and(Option::is_some);
            *host = if is_alone { text } else { self.text(host, true).unwrap_or(text) };
        }
    }

    /// The address that is asked about by itself, by its name or an alias, or as it is shown; `None`
    /// if a text is none of these. Errors with a name of several addresses.
    pub fn meant(&self, asked: &str) -> Result<Option<MeantHost>> {
        if let Some(Endpoint { address, service, .. }) = Endpoint::of(asked.as_bytes()) {
            return Ok(Some(MeantHost::new(address, service)));
        }
        if let Some(meant) = self.as_shown(asked) {
            return Ok(Some(meant));
        }
        let (name, service) = parts(asked.as_bytes());
        let name = String::from_utf8_lossy(name);
        match self.addresses.get(&*name.to_ascii_lowercase()).map(Vec::as_slice) {
            None => Ok(None),
            Some([address]) => Ok(Some(MeantHost::new(address.clone(), service))),
            Some(several) => Err(Error::usage(format!(
                "'{}' is a name of {} addresses of the file of hosts: {}; ask about one of them",
                printable(name.as_bytes()),
                several.len(),
                listed(several)
            ))),
        }
    }

    /// What a text means that has the address in brackets behind the name.
    fn as_shown(&self, text: &str) -> Option<MeantHost> {
        let (name, rest) = text.split_once(" (")?;
        let (address, behind) = rest.rsplit_once(')')?;
        let Endpoint { address, service: None, .. } = Endpoint::of(address.as_bytes())? else { return None };
        let service = if behind.is_empty() { None } else { Some(behind.strip_prefix(':')?.as_bytes()) };
        let is_its_name = self.names.get(&address).is_some_and(|listed| *listed.name == *name);
        is_its_name.then(|| MeantHost::new(address, service))
    }

    /// The name that is nearest to one that the file does not have, if one is near.
    pub fn nearest(&self, asked: &str) -> Option<&str> {
        nearest(&asked.to_ascii_lowercase(), self.addresses.keys().map(|name| &**name))
    }
}

/// Addresses as people read them.
fn listed(addresses: &[HostAddress]) -> String {
    let mut texts: Vec<String> = addresses.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = addresses.len().saturating_sub(SHOWN);
    texts.extend((more > 0).then(|| format!("{more} more")));
    let last = texts.pop().unwrap_or_default();
    if texts.is_empty() { last } else { format!("{} and {last}", texts.join(", ")) }
}

#[cfg(test)]
mod tests;
