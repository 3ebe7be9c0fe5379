"""Plugins to certify, as data: broken ones with one defect each, and sound ones that look suspicious.

They certify the certifier: `flows-registry certify --self-test`. No check knows anything of them.
"""
